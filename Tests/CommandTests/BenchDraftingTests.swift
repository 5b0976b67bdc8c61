// `swiftinfer bench drafting` from outside: what it counts, and what it keeps from drafters.

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

    /// A suite of one task in a folder with a repository that holds the answer twice, the copy indented otherwise.
    private func suite(
        _ folder: TemporaryFolder, excludes: Bool, reference: String = answer
    ) throws -> String {
        let head = "func report(values: [Item]) -> Report? {\n"
        let other = "struct Other {\n    func same() {\n"
        let copy = reference.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("repository/Sources"), withIntermediateDirectories: true)
        _ = try folder.file("repository/Sources/a.swift", Data((head + reference + "\n}\n").utf8))
        _ = try folder.file("repository/b.swift", Data((other + copy + "\n    }\n}\n").utf8))
        var task: [String: Any] = [
            "id": "t/1", "language": "swift", "prompt": head, "reference": reference, "stop": ["\n}"],
            "repository": "repository",
        ]
        if excludes {
            task["exclude"] = [
                "path": "Sources/a.swift", "first_line": 2, "last_line": 1 + reference.split(separator: "\n").count,
            ]
        }
        let line = try JSONSerialization.data(withJSONObject: task)
        return try folder.file("suite.jsonl", line + Data("\n".utf8)).path
    }

    private func rows(_ arguments: String...) throws -> [[String: Any]] { try rows(arguments) }

    private func rows(_ arguments: [String]) throws -> [[String: Any]] {
        let run = try Command(["bench", "drafting", Fixture.llama, "--json"] + arguments)
        #expect(run.status == 0, "\(run.errors)")
        return try #require(try run.json()["rows"] as? [[String: Any]])
    }

    private func row(_ rows: [[String: Any]], _ drafter: String) throws -> [String: Any] {
        try #require(rows.first { $0["drafter"] as? String == drafter })
    }

    private func tokensPerStep(_ rows: [[String: Any]], _ drafter: String) throws -> Double {
        try #require(try row(rows, drafter)["tokens_per_step"] as? Double)
    }

    /// A datastore helps, but not by the answer itself.
    @Test func answersAreKeptOutOfDatastores() throws {
        let folder = try TemporaryFolder()
        let path = try suite(folder, excludes: false)
        func tokensPerStep(_ name: String, _ contents: String) throws -> Double {
            try FileManager.default.createDirectory(
                at: folder.url.appendingPathComponent(name), withIntermediateDirectories: true)
            _ = try folder.file("\(name)/a.swift", Data(contents.utf8))
            let store = folder.url.appendingPathComponent("\(name).store").path
            let code = folder.url.appendingPathComponent(name).path
            let build = ["datastore", "build", "--model", Fixture.llama, "-o", store, code]
            #expect(try Command(build).status == 0)
            let arguments = ["--fixed-width", "16", "--drafters", "codeswift", "--without", "repository,context"]
            return try self.tokensPerStep(
                rows(["--suite", path, "--datastore", store] + arguments), "codeswift")
        }
        let none = try tokensPerStep("none", "let other = 1\n")
        let answer = try tokensPerStep("answer", Self.answer + "\n")
        let half = try tokensPerStep("half", String(Self.answer.prefix(Self.answer.count / 2)) + "\n")
        #expect(answer <= none + 0.1)
        #expect(half > none + 0.1)
    }

    @Test func partsOfCodeSwiftCanBeLeftOut() throws {
        let folder = try TemporaryFolder()
        // Without what excludes it, the answer is in the repository: at another place than the copy.
        let path = try suite(folder, excludes: false, reference: "    let x = 1\n    let y = 2\n    let z = 3")
        let arguments = ["--suite", path, "--fixed-width", "16", "--drafters", "codeswift"]
        let all = try tokensPerStep(rows(arguments), "codeswift")
        let without = try tokensPerStep(rows(arguments + ["--without", "repository,context"]), "codeswift")
        #expect(all > without)
        #expect(try Command("bench", "drafting", Fixture.llama, "--suite", path, "--without", "wheels").status == 64)
    }

    @Test func answersAreKeptFromTheDrafters() throws {
        let folder = try TemporaryFolder()
        let with = try rows("--suite", suite(folder, excludes: true), "--fixed-width", "16", "--drafters", "rest")
        #expect(try tokensPerStep(with, "rest") < 1.3)
        // Two tokens that the prompt does not end with differ: then the copies are no longer the answer.
        let task = try suite(folder, excludes: false)
        let text = try String(contentsOfFile: task, encoding: .utf8).replacingOccurrences(of: "nil }", with: "nul }")
        try Data(text.utf8).write(to: URL(fileURLWithPath: task))
        let without = try rows("--suite", task, "--fixed-width", "16", "--drafters", "rest")
        #expect(try tokensPerStep(without, "rest") > 3)
    }

    @Test func widthsLimitSteps() throws {
        let folder = try TemporaryFolder()
        let repeated = String(repeating: "let a = values[index] + 1\n", count: 12)
        let file = try suite(folder, excludes: true, reference: repeated)
        let rows = try rows("--suite", file, "--fixed-width", "1,3,64", "--drafters", "suffix,prompt-lookup")
        #expect(rows.count == 7)
        for drafter in ["suffix", "prompt-lookup"] {
            let own = rows.filter { $0["drafter"] as? String == drafter }
            let values = own.compactMap { $0["tokens_per_step"] as? Double }
            #expect(own.compactMap { $0["width"] as? Int } == [1, 3, 64])
            #expect(values[0] == 1)
            #expect(values[1] > 2 && values[1] <= 3)
            #expect(values[2] > 3)
            #expect(own.allSatisfy { $0["speedup"] == nil })
            #expect(try #require(own[0]["in_loop_share"] as? Double) > 0.6)
        }
    }

    @Test func costsAreCharged() throws {
        let folder = try TemporaryFolder()
        let repeated = String(repeating: "let a = values[index] + 1\n", count: 12)
        let file = try suite(folder, excludes: true, reference: repeated)
        let free = try folder.file("free.json", Data("[[1,1],[64,1]]".utf8)).path
        let dear = try folder.file("dear.json", Data(#"{"step_cost":[[1,1],[2,3],[64,99]]}"#.utf8)).path
        let options = ["--suite", file, "--drafters", "suffix", "--cost-curve"]
        let fast = try row(rows(options + [free]), "suffix")
        let speedup = try #require(fast["speedup"] as? Double)
        #expect(abs(speedup - (try #require(fast["tokens_per_step"] as? Double))) < 1e-9)
        #expect(speedup > 3)
        // Where no guess can pay, none is checked.
        let slow = try row(rows(options + [dear]), "suffix")
        #expect(slow["speedup"] as? Double == 1)
        #expect(slow["drafted"] as? Int == 0)
    }

    @Test func replayGivesTheReference() throws {
        let folder = try TemporaryFolder()
        let file = try suite(folder, excludes: true)
        let tokens = try Command(["tokenize", Fixture.llama, Self.answer, "--no-bos", "--json"]).json()
        let count = try #require(tokens["tokens"] as? [Int]).count
        for extra in [[], ["--cold"]] {
            let rows = try rows(["--suite", file, "--replay"] + extra)
            #expect(rows.count == 8)
            for row in rows {
                #expect(row["tokens"] as? Int == count - 1)
                #expect(try #require(row["tokens_per_second"] as? Double) > 0)
                #expect(try #require(row["worst_task_speedup"] as? Double) > 0)
            }
            #expect(try row(rows, "none")["speedup"] as? Double == 1)
        }
    }

    @Test func replayTimesFixedWidths() throws {
        let folder = try TemporaryFolder()
        let repeated = String(repeating: "let a = values[index] + 1\n", count: 12)
        let file = try suite(folder, excludes: true, reference: repeated)
        let rows = try rows("--suite", file, "--replay", "--fixed-width", "1,4", "--drafters", "suffix")
        #expect(rows.map { $0["width"] as? Int } == [nil, 1, 4])
        #expect(rows.allSatisfy { ($0["tokens_per_second"] as? Double ?? 0) > 0 })
        let steps = rows.compactMap { $0["tokens_per_step"] as? Double }
        #expect(steps[1] == 1)
        #expect(steps[2] > 2 && steps[2] <= 4)
    }

    /// What one width learns in a task, the next one does not know.
    @Test(arguments: ["suffix", "rest", "codeswift", "token-recycling"])
    func widthsLearnApart(drafter: String) throws {
        let folder = try TemporaryFolder()
        let task = try suite(folder, excludes: true)
        let line = try Data(contentsOf: URL(fileURLWithPath: task))
        let twice = try folder.file("twice.jsonl", line + line).path
        func steps(_ widths: String) throws -> Double? {
            let rows = try rows("--suite", twice, "--warm", "--drafters", drafter, "--fixed-width", widths)
            return rows.first { $0["width"] as? Int == 16 }?["tokens_per_step"] as? Double
        }
        #expect(try steps("16") == steps("8,4,16"))
    }

    @Test func replayTakesAnotherVocabulary() throws {
        let folder = try TemporaryFolder()
        let file = try suite(folder, excludes: true)
        let small = try rows("--suite", file, "--replay", "--drafters", "suffix", "--vocabulary", Fixture.llama)
        #expect(small.count == 2)
        let large = Fixture.path("tiny-gemma-f32")
        let counts = try [Fixture.llama, large].map { path in
            try #require(try Command("show", path, "--json").json()["vocabulary_size"] as? Int)
        }
        #expect(counts[0] < counts[1])
        let run = try Command(
            "bench", "drafting", Fixture.llama, "--suite", file, "--replay", "--vocabulary", large)
        #expect(run.isCleanFailure)
    }

    @Test(arguments: [["--fixed-width", "8"], ["--replay"]]) func guessesAreWritten(mode: [String]) throws {
        let folder = try TemporaryFolder()
        let repeated = String(repeating: "let a = values[index] + 1\n", count: 12)
        let file = try suite(folder, excludes: true, reference: repeated)
        let dump = folder.url.appendingPathComponent("guesses.csv")
        let arguments = ["--suite", file, "--drafters", "codeswift", "--dump-guesses", dump.path]
        let row = try row(rows(arguments + mode), "codeswift")
        let lines = try String(contentsOf: dump, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines[0].prefix(6) == ["suite", "place", "right", "probability", "constant", "chained"])
        let guesses = lines.dropFirst()
        #expect(guesses.allSatisfy { $0.count == lines[0].count && $0[0] == "\"suite\"" })
        #expect(guesses.allSatisfy { $0.dropFirst().allSatisfy { Double($0)?.isFinite == true } })
        // Of the guesses at a place at most one is right, and no token is guessed at in two places.
        let places = Dictionary(grouping: guesses) { $0[1] }
        #expect(places.values.allSatisfy { place in place.count { $0[2] == "1" } <= 1 })
        let right = guesses.count { $0[2] == "1" }
        #expect(right >= (try #require(row["accepted"] as? Int)))
        #expect(right < guesses.count)
        #expect(places.count <= (try #require(row["tokens"] as? Int)))
    }

    @Test func interruptPrintsWhatIsDone() throws {
        let folder = try TemporaryFolder()
        let file = try suite(folder, excludes: true)
        let task = try Data(contentsOf: URL(fileURLWithPath: file))
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

    @Test func generatedTableAndDrawing() throws {
        let folder = try TemporaryFolder()
        let file = try suite(folder, excludes: true)
        let drawing = try folder.file("plot.svg", Data())
        let run = try Command(
            "bench", "drafting", Fixture.llama, "--suite", file, "--suite", file, "-n", "12", "--limit", "1",
            "--max-prompt", "6", "--drafters", "none,suffix,token-recycling", "--svg", drawing.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.split(separator: "\n").count == 4)
        #expect(run.output.contains("speed-up before loops"))
        let parser = XMLParser(data: try Data(contentsOf: drawing))
        #expect(parser.parse())
    }

    @Test func refusals() throws {
        let folder = try TemporaryFolder()
        let file = try suite(folder, excludes: true)
        let broken = try folder.file("broken.jsonl", Data("{\"id\":\"x\"}\n".utf8)).path
        let curve = try folder.file("curve.json", Data("[[1,1],[2,0.5]]".utf8)).path
        let lost = try folder.file(
            "lost.jsonl", Data(#"{"id":"a","prompt":"b","reference":"c d","repository":"no"}"#.utf8)
        ).path
        for arguments in [
            ["--suite", broken], ["--suite", lost, "--fixed-width", "2"], ["--suite", file, "--drafters", "nobody"],
            ["--suite", file, "--cost-curve", curve],
        ] {
            #expect(try Command(["bench", "drafting", Fixture.llama] + arguments).isCleanFailure)
        }
        let dump = folder.url.appendingPathComponent("guesses.csv").path
        for arguments in [
            ["--warm"], ["--drafters", "suffix", "--dump-guesses", dump],
            ["--without", "calibration", "--dump-guesses", dump],
        ] {
            #expect(try Command(["bench", "drafting", Fixture.llama, "--suite", file] + arguments).status == 64)
        }
        let nowhere = folder.url.appendingPathComponent("none/guesses.csv").path
        #expect(
            try Command("bench", "drafting", Fixture.llama, "--suite", file, "--dump-guesses", nowhere).isCleanFailure)
    }
}
