// `swiftinfer bench model` from outside: what it prints, not how fast it is.

import Foundation
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

    @Test func modelTable() throws {
        let run = try Command(["bench", "model", Fixture.llama] + lists)
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count == 6)
        #expect(run.output.contains("step cost 1.00"))
    }
}
