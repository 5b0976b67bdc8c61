// `swiftinfer infill` and `run --suffix` through the built program.

import Foundation
import TestSupport
import Testing

struct InfillTests {
    private let model = Fixture.path("tiny-qwen2-f32")
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aPlaceIsALineOrAColumn() throws {
        let file = try folder.write("a.py", "def add(a, b):\n    return\nprint(1)\n")
        let whole = try Command("infill", model, "\(file):2", "-n", "8", "--no-neighbours")
        #expect(whole.status == 0 && !whole.output.isEmpty && whole.errors.isEmpty)
        let column = try Command("infill", model, "\(file):2:11", "-n", "8", "--no-neighbours")
        #expect(column.output == whole.output)
        let early = try Command("infill", model, "\(file):2:1", "-n", "8", "--no-neighbours", "--json")
        let report = try early.json()
        #expect(report["text"] as? String != nil && report["prompt_tokens"] as? Int ?? 0 > 4)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "def add(a, b):\n    return\nprint(1)\n")
    }

    @Test func neighboursAreContext() throws {
        func promptTokens(_ arguments: String...) throws -> Int {
            let run = try Command(["infill", model, "\(folder.path("a.py")):1", "-n", "1", "--json"] + arguments)
            return try run.json()["prompt_tokens"] as? Int ?? 0
        }
        _ = try folder.write("a.py", "def add(a, b):\n")
        _ = try folder.write("other.txt", "not code of this kind")
        let alone = try promptTokens()
        let neighbour = try folder.write("b.py", "def subtract(a, b):\n    return a - b\n")
        let beside = try promptTokens()
        #expect(beside > alone)
        #expect(try promptTokens("--no-neighbours") == alone)
        #expect(try promptTokens("--no-neighbours", "--context-file", neighbour) > alone)
    }

    @Test func aSuffixMakesAGap() throws {
        let gap = try Command("run", model, "def add(a, b):\n    return", "--suffix", "\nprint(1)\n", "-n", "8")
        #expect(gap.status == 0 && !gap.output.isEmpty)
        let plain = try Command("run", model, "def add(a, b):\n    return", "-n", "8", "--json").json()
        let file = try folder.write("suffix", "\nprint(1)\n")
        let byFile = try Command(
            "run", model, "def add(a, b):\n    return", "--suffix-file", file, "-n", "8", "--json"
        ).json()
        #expect(byFile["text"] as? String == gap.output)
        #expect(byFile["prompt_tokens"] as? Int ?? 0 > plain["prompt_tokens"] as? Int ?? .max)
    }

    @Test func placesThatCannotBe() throws {
        let file = try folder.write("a.py", "def add(a, b):\n")
        for place in ["\(file):9", "\(file):1:40", folder.path("missing.py") + ":1"] {
            #expect(try Command("infill", model, place, "-n", "1").isCleanFailure, "\(place)")
        }
        for place in [file, "\(file):0", ":1", "\(file):x"] {
            #expect(try Command("infill", model, place, "-n", "1").status == 64, "\(place)")
        }
        #expect(try Command("infill", Fixture.llama, "\(file):1", "-n", "1").isCleanFailure)
        #expect(try Command("run", model, "a", "--suffix", "b", "--chat").status == 64)
    }
}
