// `swiftinfer bench` from outside: what it prints, not how fast it is.

import Foundation
import TestSupport
import Testing

struct BenchTests {
    private let lists = ["--prompt", "4,600", "--generate", "3", "--widths", "1,4,1", "--repetitions", "2"]

    @Test func modelRowsAndStepCosts() throws {
        let object = try Command(["bench", "model", Fixture.llama, "--json"] + lists).json()
        let rows = try #require(object["rows"] as? [[String: Any]])
        let tests = ["prompt-4", "prompt-600", "generate-3", "width-1", "width-4", "width-1"]
        #expect(rows.map { $0["test"] as? String } == tests)
        for row in rows {
            let rate = try #require(row["tokens_per_second"] as? Double)
            #expect(rate > 0 && rate.isFinite)
            #expect(try #require(row["spread"] as? Double) >= 0)
        }
        let costs = try #require(object["step_cost"] as? [[Double]])
        #expect(costs.map { $0[0] } == [1, 4, 1])
        #expect(costs[0][1] == 1)
    }

    @Test func noCostsWithoutWidthOne() throws {
        let options = ["--prompt", "", "--generate", "", "--widths", "2", "--repetitions", "1"]
        let object = try Command(["bench", "model", Fixture.llama, "--json"] + options).json()
        #expect((object["step_cost"] as? [[Double]])?.isEmpty == true)
        #expect((object["rows"] as? [[String: Any]])?.count == 1)
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

    @Test(arguments: ["automatic", "reference"])
    func kernelsAreExactAndRatesAreNumbers(_ kernels: String) throws {
        var arguments = ["bench", "kernels", "--types", "Q4_0,f16,q6_k", "--widths", "1,5", "--json"]
        if kernels == "reference" { arguments += ["--kernels", kernels] }
        let object = try Command(arguments).json()
        let products = try #require(object["products"] as? [[String: Any]])
        #expect(products.count == 3 * 2 * 4)
        let wanted = [("q4_0", 1), ("q4_0", 5)]
        #expect(products.prefix(2).map { $0["type"] as? String } == wanted.map(\.0))
        #expect(products.prefix(2).map { $0["width"] as? Int } == wanted.map(\.1))
        let others = try #require(object["others"] as? [[String: Any]])
        #expect(Set(others.compactMap { $0["kernel"] as? String }).isSuperset(of: ["rms norm", "softmax"]))
        for row in products + others {
            #expect(row["ulps"] as? Int == 0)
            #expect(try #require(row["ns"] as? Double) >= #require(row["ns_least"] as? Double))
            #expect(try #require(row["ns_least"] as? Double) > 0)
        }
    }

    @Test func kernelTable() throws {
        let run = try Command(["bench", "kernels", "--types", "bf16", "--widths", "2", "--threads", "2"])
        #expect(run.status == 0)
        #expect(run.output.contains("the same bits"))
        #expect(run.output.split(separator: "\n").filter { $0.hasPrefix("bf16") }.count == 4)
    }

    @Test(arguments: [
        ["--types", "q4_9"], ["--types", ""], ["--widths", ""], ["--widths", "5000"], ["--kernels", "abacus"],
        ["--threads", "0"],
    ])
    func kernelsRefuseWhatIsNotThere(_ arguments: [String]) throws {
        #expect(try Command(["bench", "kernels"] + arguments).status == 64)
    }
}
