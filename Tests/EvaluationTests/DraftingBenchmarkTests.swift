// The drafting benchmark: what it counts, and what it withholds from drafters.

import Foundation
import InferCodeSwift
import InferEvaluation
import InferGGUF
import InferSupport
import InferTokenizers
import SwiftInfer
import TestSupport
import Testing

struct DraftingBenchmarkTests {
    private static let answer = """
            let total = values.reduce(0) { $0 + $1.weight * $1.count }
            guard total > threshold else { return nil }
            return Report(total: total, mean: total / Double(values.count))
        """
    private static let repeated = String(repeating: "let a = values[index] + 1\n", count: 12)

    private let folder: TemporaryFolder
    private let tokenizer: Tokenizer

    init() throws {
        folder = try TemporaryFolder()
        tokenizer = try Fixture.tokenizer()
    }

    /// The line of one task with a repository that contains the answer twice, the second time with other indentation.
    private func line(excludes: Bool, reference: String = answer) throws -> String {
        let head = "func report(values: [Item]) -> Report? {\n"
        let other = "struct Other {\n    func same() {\n"
        let copy = reference.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        try folder.write("repository/Sources/a.swift", head + reference + "\n}\n")
        try folder.write("repository/b.swift", other + copy + "\n    }\n}\n")
        var task: [String: Any] = [
            "id": "t/1", "language": "swift", "prompt": head, "reference": reference, "stop": ["\n}"],
            "repository": "repository",
        ]
        if excludes {
            task["exclude"] = [
                "path": "Sources/a.swift", "first_line": 2, "last_line": 1 + reference.split(separator: "\n").count,
            ]
        }
        return String(decoding: try JSONSerialization.data(withJSONObject: task), as: UTF8.self) + "\n"
    }

    private func suite(_ contents: String) throws -> DraftingSuite {
        try DraftingSuite(Array(contents.utf8), path: folder.path("suite.jsonl"))
    }

    private func suite(excludes: Bool, reference: String = answer) throws -> DraftingSuite {
        try suite(line(excludes: excludes, reference: reference))
    }

    /// Runs a benchmark: a simulation unless `edit` sets another mode.
    private func report(
        _ suite: DraftingSuite, _ drafters: String, without parts: Set<Ablation.Part> = [], session: Session? = nil,
        predictions: String? = nil, _ edit: (inout DraftingBenchmark.Settings) -> Void
    ) async throws -> DraftingReport {
        var settings = DraftingBenchmark.Settings()
        settings.mode = .simulated(costs: nil)
        settings.isCold = true
        edit(&settings)
        let contestants = try DraftingContestant.named(
            drafters, without: Ablation(parts), predictions: predictions.map { try PredictionTable(path: $0) })
        let benchmark = DraftingBenchmark(settings, contestants, tokenizer: tokenizer, session: session)
        let results = try await benchmark.results(of: [suite])
        try await benchmark.finishPredictions()
        return await benchmark.report(results)
    }

    private func row(_ report: DraftingReport, _ drafter: String) throws -> DraftingReport.Row {
        try #require(report.rows.first { $0.drafter == drafter })
    }

    private func session() throws -> Session {
        try Fixture.model().makeSession(.init(contextLength: 2048, drafter: .none))
    }

    /// A datastore of one file, in memory.
    private func store(_ name: String, _ contents: String) async throws -> Datastore {
        try folder.write("\(name)/a.swift", contents)
        var ingestion = Ingestion(tokenizer: tokenizer, threads: 1)
        try ingestion.addFolder(folder.path(name)) { _ in }
        let identity = try TokenizerIdentity(tokenizer, metadata: GGUFFile(path: Fixture.llama).metadata)
        let path = folder.path("\(name).store")
        try DatastoreWriter.write(SortedCorpus(ingestion.corpus) { _ in }, tokenizer: identity, to: path)
        let store = try Datastore(path: path)
        while !store.isReady { try await Task.sleep(for: .milliseconds(1)) }
        return store
    }

    /// A datastore with half of the answer helps; one with the whole answer does not, because the answer is withheld.
    @Test func answersAreWithheldFromDatastores() async throws {
        let suite = try suite(excludes: false)
        func tokensPerStep(_ name: String, _ contents: String) async throws -> Double {
            let store = try await store(name, contents)
            let report = try await report(suite, "codeswift", without: [.repository, .context]) {
                $0.widths = [16]
                $0.stores = [store]
            }
            return try row(report, "codeswift").tokensPerStep
        }
        let none = try await tokensPerStep("none", "let other = 1\n")
        let answer = try await tokensPerStep("answer", Self.answer + "\n")
        let half = try await tokensPerStep("half", String(Self.answer.prefix(Self.answer.count / 2)) + "\n")
        #expect(answer <= none + 0.1)
        #expect(half > none + 0.1)
    }

    @Test func partsOfCodeSwiftCanBeLeftOut() async throws {
        // The repository contains the answer, which is too short to be withheld without being excluded.
        let suite = try suite(excludes: false, reference: "    let x = 1\n    let y = 2\n    let z = 3")
        let all = try await report(suite, "codeswift") { $0.widths = [16] }
        let without = try await report(suite, "codeswift", without: [.repository, .context]) { $0.widths = [16] }
        #expect(try row(all, "codeswift").tokensPerStep > row(without, "codeswift").tokensPerStep)
    }

    @Test func answersAreWithheldFromRepositories() async throws {
        let withheld = try await report(suite(excludes: true), "rest") { $0.widths = [16] }
        #expect(try row(withheld, "rest").tokensPerStep < 1.3)
        // With another word in the reference, the files contain no copies of the answer.
        let other = try line(excludes: false).replacingOccurrences(of: "nil }", with: "nul }")
        let found = try await report(suite(other), "rest") { $0.widths = [16] }
        #expect(try row(found, "rest").tokensPerStep > 3)
    }

    @Test func widthsLimitSteps() async throws {
        let report = try await report(suite(excludes: true, reference: Self.repeated), "suffix,prompt-lookup") {
            $0.widths = [1, 3, 64]
        }
        #expect(report.rows.count == 7)
        #expect(report.mode == "simulated")
        for drafter in ["suffix", "prompt-lookup"] {
            let own = report.rows.filter { $0.drafter == drafter }
            #expect(own.map(\.width) == [1, 3, 64])
            #expect(own[0].tokensPerStep == 1)
            #expect(own[1].tokensPerStep > 2 && own[1].tokensPerStep <= 3)
            #expect(own[2].tokensPerStep > 3)
            #expect(own.allSatisfy { $0.speedup == nil })
            #expect(own[0].inLoopShare > 0.6)
        }
    }

    @Test func costsAreCharged() async throws {
        let suite = try suite(excludes: true, reference: Self.repeated)
        func costs(_ text: String) throws -> [Double] {
            try CostCurve(Array(text.utf8), path: "costs.json", maximumRows: 64).costs
        }
        let free = try costs("[[1,1],[64,1]]")
        let fast = try row(try await report(suite, "suffix") { $0.mode = .simulated(costs: free) }, "suffix")
        #expect(abs(try #require(fast.speedup) - fast.tokensPerStep) < 1e-9)
        #expect(fast.tokensPerStep > 3)
        // If no draft token can pay, none is checked.
        let high = try costs(#"{"step_cost":[[1,1],[2,3],[64,99]]}"#)
        let slow = try row(try await report(suite, "suffix") { $0.mode = .simulated(costs: high) }, "suffix")
        #expect(slow.speedup == 1)
        #expect(slow.drafted == 0)
    }

    @Test func costsAreInterpolated() throws {
        let curve = try CostCurve(Array("[[1,1],[3,2],[5,6]]".utf8), path: "costs.json", maximumRows: 7)
        #expect(curve.costs == [1, 1.5, 2, 4, 6, 8, 10])
        for text in ["[[1,1]]", "[[2,1],[3,2]]", "[[1,1],[2,0.5]]", "[[1,1],[2]]", "{}", ""] {
            let error = inferenceError { _ = try CostCurve(Array(text.utf8), path: "costs.json", maximumRows: 7) }
            #expect(error?.code == .unreadableFile && error?.message.contains("costs.json") == true)
        }
    }

    @Test(arguments: [false, true]) func replayGivesTheReference(isCold: Bool) async throws {
        let names = DraftingContestant.all().map(\.name).joined(separator: ",")
        let report = try await report(suite(excludes: true), names, session: session()) {
            $0.mode = .replay
            $0.isCold = isCold
        }
        let count = tokenizer.encode(Self.answer, addSpecial: false, parseSpecial: false).count
        #expect(report.rows.count == 8)
        #expect(report.differences == 0)
        for row in report.rows {
            #expect(row.tokens == count - 1)
            #expect(try #require(row.tokensPerSecond) > 0)
            #expect(try #require(row.worstTaskSpeedup) > 0)
        }
        #expect(try row(report, "none").speedup == 1)
    }

    @Test func replayTimesFixedWidths() async throws {
        let suite = try suite(excludes: true, reference: Self.repeated)
        let report = try await report(suite, "suffix", session: session()) {
            $0.mode = .replay
            $0.widths = [1, 4]
        }
        #expect(report.rows.map(\.width) == [nil, 1, 4])
        #expect(report.rows.allSatisfy { ($0.tokensPerSecond ?? 0) > 0 })
        #expect(report.rows[1].tokensPerStep == 1)
        #expect(report.rows[2].tokensPerStep > 2 && report.rows[2].tokensPerStep <= 4)
    }

    /// The drafter of one width does not know what the drafter of another width learned.
    @Test(arguments: ["suffix", "rest", "codeswift", "token-recycling"])
    func widthsLearnSeparately(drafter: String) async throws {
        let line = try line(excludes: true)
        let twice = try suite(line + line)
        func steps(_ widths: [Int]) async throws -> Double? {
            let report = try await report(twice, drafter) {
                $0.isCold = false
                $0.widths = widths
            }
            return report.rows.first { $0.width == 16 }?.tokensPerStep
        }
        let alone = try await steps([16])
        #expect(try await steps([8, 4, 16]) == alone)
    }

    @Test(arguments: [true, false]) func predictionsAreWritten(simulates: Bool) async throws {
        let path = folder.path("predictions.csv")
        let report = try await report(
            suite(excludes: true, reference: Self.repeated), "codeswift", session: simulates ? nil : session(),
            predictions: path
        ) {
            if simulates { $0.widths = [8] } else { $0.mode = .replay }
            $0.isCold = simulates
        }
        let row = try row(report, "codeswift")
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines[0].prefix(6) == ["suite", "place", "right", "probability", "constant", "chained"])
        let predictions = lines.dropFirst()
        #expect(predictions.allSatisfy { $0.count == lines[0].count && $0[0] == "\"suite\"" })
        #expect(predictions.allSatisfy { $0.dropFirst().allSatisfy { Double($0)?.isFinite == true } })
        // At most one prediction at a place is right, and no token is predicted at two places.
        let places = Dictionary(grouping: predictions) { $0[1] }
        #expect(places.values.allSatisfy { place in place.count { $0[2] == "1" } <= 1 })
        let right = predictions.count { $0[2] == "1" }
        #expect(right >= row.accepted)
        #expect(right < predictions.count)
        #expect(places.count <= row.tokens)
    }

    @Test func drawingsHaveOnePanelPerKind() async throws {
        let report = try await report(suite(excludes: true, reference: Self.repeated), "suffix") {
            $0.widths = [1, 4]
            $0.mode = .simulated(costs: [Double](repeating: 1, count: 64))
        }
        let svg = DraftingPlots(report).svg
        #expect(svg.contains("Speed-up over plain decoding (simulated)"))
        #expect(svg.contains("Tokens per step by the rows of a step"))
        #expect(svg.contains("Cost of a step by its rows"))
    }

    @Test func cancelledBenchmarksGiveTheTasksDone() async throws {
        let line = try line(excludes: true)
        let suite = try suite(line + line)
        let contestants = try DraftingContestant.named("suffix")
        var settings = DraftingBenchmark.Settings()
        settings.mode = .simulated(costs: nil)
        let benchmark = DraftingBenchmark(settings, contestants, tokenizer: tokenizer, session: nil)
        let task = Task { try await benchmark.results(of: [suite]) { _, _ in withUnsafeCurrentTask { $0?.cancel() } } }
        #expect(try await task.value.count == 1)
    }

    @Test func tasksAreReadAndOrdered() throws {
        func line(_ id: String, _ path: String, _ first: Int) -> String {
            #"{"id":"\#(id)","prompt":"p","reference":"r","exclude":{"path":"\#(path)","first_line":\#(first),"#
                + #""last_line":9}}"# + "\n"
        }
        let lines = line("1", "b", 1) + "\n" + line("2", "a", 5) + line("3", "a", 2) + line("4", "b", 0)
        #expect(try suite(lines).tasks.map(\.id) == ["3", "2", "4", "1"])
        #expect(try suite(lines).name == "suite")
        let limited = try DraftingSuite(Array(lines.utf8), path: "suite.jsonl", limit: 2)
        #expect(limited.tasks.map(\.id) == ["3", "1"])
        let error = inferenceError { _ = try suite(lines + #"{"id":"x"}"#) }
        #expect(error?.message.contains("line 5 is not a task") == true)
    }

    @Test func loopsBeginWithTheirSecondRound() {
        let loop: [Int32] = Array(repeatElement([1, 2, 3], count: 10).joined())
        let marks = TokenLoops.mark([7, 8, 9] + loop + [4, 5] as [Int32])
        #expect(marks.firstIndex(of: true) == 6)
        #expect(marks.count { $0 } == loop.count - 3)
        #expect(!TokenLoops.mark([1, 2, 3, 1, 2, 3, 1, 2, 3]).contains(true))
    }

    @Test func unknownDraftersAndRepositoriesAreRefused() async throws {
        #expect(inferenceError { _ = try DraftingContestant.named("nobody") }?.code == .invalidArgument)
        let lost = try suite(#"{"id":"a","prompt":"b","reference":"c d","repository":"no"}"#)
        await #expect(throws: InferenceError.self) { _ = try await report(lost, "suffix") { _ in } }
    }
}
