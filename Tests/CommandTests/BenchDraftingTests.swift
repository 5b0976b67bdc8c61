// `swiftinfer bench drafting`: options and output, through the built program.

import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

struct BenchDraftingTests {
    private static let answer = """
            let total = values.reduce(0) { $0 + $1.weight * $1.count }
            guard total > threshold else { return nil }
            return Report(total: total, mean: total / Double(values.count))
        """

    private let folder: TemporaryFolder
    /// The path of a suite with one task.
    private let suite: String

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("repository"), withIntermediateDirectories: true)
        let head = "func report(values: [Item]) -> Report? {\n"
        _ = try folder.file("repository/a.swift", Data((head + Self.answer + "\n}\n").utf8))
        let task: [String: Any] = [
            "id": "t/1", "language": "swift", "prompt": head, "reference": Self.answer, "stop": ["\n}"],
            "repository": "repository", "exclude": ["path": "a.swift", "first_line": 2, "last_line": 4],
        ]
        let line = try JSONSerialization.data(withJSONObject: task)
        suite = try folder.file("suite.jsonl", line + Data("\n".utf8)).path
    }

    private func run(_ arguments: String...) throws -> Command {
        try Command(["bench", "drafting", Fixture.llama, "--suite", suite] + arguments)
    }

    private func rows(_ run: Command) throws -> [[String: Any]] {
        #expect(run.status == 0, "\(run.errors)")
        return try #require(try run.json()["rows"] as? [[String: Any]])
    }

    @Test func simulationReport() throws {
        let run = try run("--fixed-width", "1,4", "--drafters", "suffix,rest", "--json")
        let rows = try rows(run)
        #expect(rows.map { $0["drafter"] as? String } == ["none", "suffix", "suffix", "rest", "rest"])
        #expect(rows.map { $0["width"] as? Int } == [nil, 1, 4, 1, 4])
        #expect(rows.allSatisfy { $0["tokens_per_step"] is Double && $0["speedup"] == nil })
        #expect(try run.json()["mode"] as? String == "simulated")
        #expect((try run.json()["tasks"] as? [Any])?.count == 5)
    }

    @Test func costCurvesAreRead() throws {
        let curve = try folder.file("curve.json", Data("[[1,1],[64,1]]".utf8)).path
        let rows = try rows(run("--cost-curve", curve, "--drafters", "suffix", "--warm", "--json"))
        #expect(rows.allSatisfy { $0["speedup"] is Double })
    }

    @Test func replayTakesAnotherVocabulary() throws {
        let small = try rows(
            run("--replay", "--cold", "--drafters", "suffix", "--vocabulary", Fixture.llama, "--json"))
        #expect(small.allSatisfy { $0["tokens_per_second"] is Double })
        let large = Fixture.path("tiny-gemma-f32")
        let counts = try [Fixture.llama, large].map { path in
            try #require(try Command("show", path, "--json").json()["vocabulary_size"] as? Int)
        }
        #expect(counts[0] < counts[1])
        #expect(try run("--replay", "--vocabulary", large).isCleanFailure)
    }

    @Test func predictionsAndProfileAreWritten() throws {
        let dump = folder.url.appendingPathComponent("predictions.csv")
        let run = try run(
            "--fixed-width", "8", "--drafters", "codeswift", "--dump-predictions", dump.path, "--profile", "--json")
        #expect(try rows(run).count == 2)
        #expect((try run.json()["profile"] as? [Any])?.isEmpty == false)
        #expect(try String(contentsOf: dump, encoding: .utf8).hasPrefix("suite,place,right,probability,"))
    }

    @Test func interruptPrintsTheTasksDone() throws {
        let task = try Data(contentsOf: URL(fileURLWithPath: suite))
        let long = try folder.file("long.jsonl", Data((0..<20_000).flatMap { _ in task })).path
        let run = try Command(
            [
                "bench", "drafting", Fixture.llama, "--suite", long, "--fixed-width", "4", "--drafters", "suffix",
                "--json",
            ]
        ) { running in
            while try running.errors.isEmpty, running.process.isRunning { usleep(10_000) }
            running.process.interrupt()
        }
        #expect(run.status == 130)
        let rows = try #require(try run.json()["rows"] as? [[String: Any]])
        #expect(rows.count == 2)
        #expect(rows.allSatisfy { ($0["tasks"] as? Int).map { $0 > 0 && $0 < 20_000 } ?? false })
    }

    @Test func tableAndDrawing() throws {
        let drawing = try folder.file("plot.svg", Data())
        let run = try run(
            "--suite", suite, "-n", "12", "--limit", "1", "--max-prompt", "6", "--drafters",
            "none,suffix,token-recycling", "--svg", drawing.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.split(separator: "\n").count == 4)
        #expect(run.output.contains("speed-up before loops"))
        let parser = XMLParser(data: try Data(contentsOf: drawing))
        #expect(parser.parse())
    }

    @Test func badFilesAndNamesAreRefused() throws {
        let broken = try folder.file("broken.jsonl", Data("{\"id\":\"x\"}\n".utf8)).path
        let curve = try folder.file("curve.json", Data("[[1,1],[2,0.5]]".utf8)).path
        let lost = try folder.file(
            "lost.jsonl", Data(#"{"id":"a","prompt":"b","reference":"c d","repository":"no"}"#.utf8)
        ).path
        let nowhere = folder.url.appendingPathComponent("none/predictions.csv").path
        for arguments in [
            ["--suite", broken], ["--suite", lost, "--fixed-width", "2"], ["--suite", suite, "--drafters", "nobody"],
            ["--suite", suite, "--cost-curve", curve], ["--suite", suite, "--dump-predictions", nowhere],
        ] {
            #expect(try Command(["bench", "drafting", Fixture.llama] + arguments).isCleanFailure)
        }
    }

    @Test func wrongUsage() throws {
        let dump = folder.url.appendingPathComponent("predictions.csv").path
        for arguments in [
            ["--warm"], ["--drafters", "suffix", "--dump-predictions", dump],
            ["--without", "calibration", "--dump-predictions", dump], ["--without", "wheels"],
        ] {
            #expect(try Command(["bench", "drafting", Fixture.llama, "--suite", suite] + arguments).status == 64)
        }
    }
}
