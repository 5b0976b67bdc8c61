// `swiftinfer bench model` and `bench kernels`: options and output, through the built program.

import Foundation
import TestSupport
import Testing

struct BenchTests {
    private let lists = ["--prompt", "4,600", "--generate", "3", "--widths", "1,4,1", "--repetitions", "2"]

    @Test func modelReport() throws {
        let object = try Command(["bench", "model", Fixture.llama, "--json"] + lists).json()
        let rows = try #require(object["rows"] as? [[String: Any]])
        let tests = ["prompt-4", "prompt-600", "generate-3", "width-1", "width-4", "width-1"]
        #expect(rows.map { $0["test"] as? String } == tests)
        #expect(rows.allSatisfy { $0["tokens_per_second"] is Double && $0["spread"] is Double })
        let costs = try #require(object["step_cost"] as? [[Double]])
        #expect(costs.map { $0[0] } == [1, 4, 1])
    }

    @Test func zeroLeavesATestOut() throws {
        let options = ["--prompt", "2", "--generate", "0", "--widths", "0", "--repetitions", "1", "--json"]
        let rows = try Command(["bench", "model", Fixture.llama] + options).json()["rows"] as? [[String: Any]]
        #expect(rows?.map { $0["test"] as? String } == ["prompt-2"])
        #expect(try Command("bench", "model", "m", "--prompt", "0", "--generate", "0", "--widths", "0").status == 64)
    }

    @Test func modelRunsOnTheKernelsAskedFor() throws {
        let least = ["--prompt", "2", "--generate", "", "--widths", "", "--repetitions", "1"]
        let object = try Command(["bench", "model", Fixture.llama, "--kernels", "reference", "--json"] + least).json()
        #expect(object["kernels"] as? String == "reference")
    }

    @Test func modelTable() throws {
        let run = try Command(["bench", "model", Fixture.llama] + lists)
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count == 6)
        #expect(run.output.contains("step cost 1.00"))
    }

    @Test func kernelReport() throws {
        let arguments = ["bench", "kernels", "--types", "Q4_0", "--widths", "1,5", "--json"]
        let object = try Command(arguments).json()
        #expect(object["kernels"] is String)
        let products = try #require(object["products"] as? [[String: Any]])
        #expect(products.count == 2 * 4)
        let others = try #require(object["others"] as? [[String: Any]])
        for row in products + others {
            #expect(row["ulps"] as? Int == 0)
            #expect(row["ns"] is Double && row["ns_least"] is Double)
        }
    }

    @Test func kernelTable() throws {
        let run = try Command(["bench", "kernels", "--types", "bf16", "--widths", "2", "--threads", "2"])
        #expect(run.status == 0)
        #expect(run.output.contains("the same bits"))
        #expect(run.output.split(separator: "\n").filter { $0.hasPrefix("bf16") }.count == 4)
    }

    @Test func oneKernelIsMeasuredAlone() throws {
        func rows(_ options: String...) throws -> (products: [[String: Any]], others: [String?]) {
            let object = try Command(["bench", "kernels", "--json"] + options).json()
            let others = try #require(object["others"] as? [[String: Any]])
            return (
                try #require(object["products"] as? [[String: Any]]), others.map { $0["kernel"] as? String }
            )
        }
        let product = try rows("--type", "q8_0", "--width", "3")
        #expect(product.products.map { $0["type"] as? String } == ["q8_0", "q8_0", "q8_0", "q8_0"])
        #expect(product.products.allSatisfy { $0["width"] as? Int == 3 })
        #expect(product.others.isEmpty)
        let softmax = try rows("--kernel", "softmax")
        #expect(softmax.products.isEmpty && softmax.others == ["softmax"])
        #expect(try rows("--kernel", "rms-norm").others == ["rms norm"])
    }

    @Test func kernelRatesAreRecordedAndCompared() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("rates.json").path
        let one = ["bench", "kernels", "--kernel", "softmax"]
        #expect(try Command(one + ["--record", path]).status == 0)
        let compared = try Command(one + ["--against", path, "--record", path])
        #expect(compared.status == 0)
        #expect(compared.output.contains("recorded by swiftinfer"))
        #expect(!compared.errors.contains("differ"))
        let lines = compared.output.split(separator: "\n").filter { $0.hasPrefix("softmax ") }
        #expect(lines.count == 2)
        // A record of another machine.
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let processors = try #require(text.firstMatch(of: /"processors" : \d+/)?.0)
        let other = try folder.file(
            "other.json", Data(text.replacing(processors, with: #""processors" : 1234"#).utf8)
        ).path
        let run = try Command(one + ["--against", other, "--json"])
        #expect(run.errors.contains("the machines differ"))
        let against = try #require(try run.json()["against"] as? [String: Any])
        #expect((against["differences"] as? [String])?.first?.hasPrefix("the machines differ") == true)
        let rows = try #require(against["rows"] as? [[String: Any]])
        #expect(rows.contains { $0["name"] as? String == "softmax" && $0["ratio"] is Double })
    }

    @Test func modelRatesAreRecordedAndCompared() throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("rates.json").path
        let bench = ["bench", "model", Fixture.llama] + lists
        #expect(try Command(bench + ["--record", path]).status == 0)
        let run = try Command(bench + ["--against", path, "--depth", "9"])
        #expect(run.output.contains("step cost of width 4"))
        #expect(run.errors.contains("depth differs: 9 here, default in the record"))
        #expect(try Command("bench", "kernels", "--kernel", "softmax", "--against", path).isCleanFailure)
    }

    @Test(arguments: ["kernels", "model"]) func filesThatAreNotRatesAreRefused(benchmark: String) throws {
        let folder = try TemporaryFolder()
        let other = try folder.file("other.json", Data("precious".utf8))
        let bench = ["bench", benchmark] + (benchmark == "model" ? [Fixture.llama] : [])
        for path in [other.path, folder.url.appendingPathComponent("none.json").path, folder.url.path] {
            let run = try Command(bench + ["--against", path])
            #expect(run.isCleanFailure)
            #expect(run.errors.contains(path))
        }
        for path in [other.path, folder.url.appendingPathComponent("none/rates.json").path, folder.url.path] {
            #expect(try Command(bench + ["--record", path]).isCleanFailure)
        }
        #expect(try Data(contentsOf: other) == Data("precious".utf8))
    }

    @Test(arguments: [
        ["--types", "q4_9"], ["--types", ""], ["--widths", ""], ["--widths", "5000"], ["--kernels", "abacus"],
        ["--threads", "0"], ["--width", "0"], ["--type", "q4_0,q8_0"], ["--type", "q4_0", "--types", "q8_0"],
        ["--kernel", "abacus"], ["--kernel", "softmax", "--type", "q4_0"],
    ])
    func wrongUsageOfKernels(_ arguments: [String]) throws {
        #expect(try Command(["bench", "kernels"] + arguments).status == 64)
    }
}
