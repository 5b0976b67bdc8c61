// The kernel and model benchmarks: which figures they give, not how fast anything is.

import InferEvaluation
import InferGGUF
import InferSupport
import InferTensors
import InferTokenizers
import SwiftInfer
import TestSupport
import Testing

struct BenchmarkTests {
    @Test func kernelsAreExactAndRatesAreNumbers() throws {
        let selection = KernelBenchmark.Selection(types: [.q4_0, .f16, .q6_K], widths: [1, 5])
        var last = 0.0
        let report = try KernelBenchmark(KernelChoice.automatic.makeKernels(), selection).report { fraction, _ in
            #expect(fraction >= last && fraction <= 1)
            last = fraction
        }
        #expect(report.isExact)
        #expect(report.products.count == 3 * 2 * 4)
        #expect(report.products.prefix(2).map(\.type) == ["q4_0", "q4_0"])
        #expect(report.products.prefix(2).map(\.width) == [1, 5])
        #expect(report.others.map(\.kernel) == KernelBenchmark.otherKernels)
        #expect(Set(KernelBenchmark.otherKernels).isSuperset(of: ["rms norm", "softmax", "score f16"]))
        for (ulps, median, least) in report.products.map({ ($0.ulps, $0.nanoseconds, $0.leastNanoseconds) })
            + report.others.map({ ($0.ulps, $0.nanoseconds, $0.leastNanoseconds) })
        {
            #expect(ulps == 0)
            #expect(median >= least && least > 0)
        }
        let names = report.rates.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Set(names).isSuperset(of: ["q6_k, width 5, memory", "softmax"]))
        #expect(report.rates.allSatisfy { $0.value > 0 && $0.value.isFinite })
    }

    @Test func kernelsInSwiftAreMeasured() throws {
        let selection = KernelBenchmark.Selection(types: [.q4_0], widths: [1], others: [])
        let report = try KernelBenchmark(ReferenceKernels(), selection).report()
        #expect(report.kernels == "reference")
        #expect(report.products.count == 4)
        #expect(report.isExact && report.others.isEmpty)
    }

    @Test func oneKernelIsMeasuredAlone() throws {
        let selection = KernelBenchmark.Selection(types: [], others: ["softmax"])
        let report = try KernelBenchmark(ReferenceKernels(), selection).report()
        #expect(report.products.isEmpty)
        #expect(report.others.map(\.kernel) == ["softmax"])
        #expect(!report.text.contains("weights in"))
    }

    @Test func modelRowsAndStepCosts() throws {
        let tests: [ModelBenchmark.Test] = [
            .prompt(4), .prompt(600), .generate(3), .width(1), .width(4), .width(1),
        ]
        #expect(ModelBenchmark.capacity(of: tests, depth: nil) == 600)
        #expect(ModelBenchmark.capacity(of: tests, depth: 7) == 607)
        let benchmark = try ModelBenchmark(Fixture.model(), tests, depth: nil, cacheType: .f16)
        var count = 0
        let report = try benchmark.report(repetitions: 2) { _, _ in count += 1 }
        #expect(count == 3 * tests.count)
        #expect(report.rows.map(\.test) == ["prompt-4", "prompt-600", "generate-3", "width-1", "width-4", "width-1"])
        #expect(report.rows.allSatisfy { $0.tokensPerSecond > 0 && $0.tokensPerSecond.isFinite && $0.spread >= 0 })
        #expect(report.stepCost.map { $0[0] } == [1, 4, 1])
        #expect(report.stepCost[0][1] == 1)
        #expect(report.text.split(separator: "\n").count == 6)
        #expect(report.text.contains("step cost 1.00"))
        #expect(report.rates.map(\.name).contains("step cost of width 4"))
    }

    @Test func aTreeOfRowsHasBranches() throws {
        #expect(ModelBenchmark.parents(ofTreeOf: 9) == [-1, 0, 0, 2, 1, 1, 5, 4, 4])
        let model = try Model(contentsOf: Fixture.path("tiny-qwen35moe-q8_0"))
        let benchmark = try ModelBenchmark(
            model, [.width(1), .tree(1), .tree(2), .tree(16)], depth: nil, cacheType: .f16)
        let report = try benchmark.report(repetitions: 1)
        #expect(report.rows.map(\.test) == ["width-1", "tree-1", "tree-2", "tree-16"])
        #expect(report.treeCost.map { $0[0] } == [1, 2, 16])
        #expect(report.text.contains("a recurrent state takes"))
        #expect(report.rates.map(\.name).contains("step cost of a tree of 16"))
    }

    @Test func thereAreNoStepCostsWithoutWidthOne() throws {
        let benchmark = try ModelBenchmark(Fixture.model(), [.width(2)], depth: 0, cacheType: .f32)
        let report = try benchmark.report(repetitions: 1)
        #expect(report.stepCost.isEmpty)
        #expect(report.rows.count == 1)
    }

    @Test func perplexityIsThatOfTheSecondHalvesOfTheChunks() throws {
        let model = try Fixture.model()
        let scorer = try Scorer(model, capacity: 8, cacheType: .f32)
        let tokens = (0..<24).map { TokenID($0 * 7 % 300) }
        var counts: [Int] = []
        let estimate = try PerplexityEstimate(tokens, chunks: 2, of: 8, scorer, model.tokenizer) { done, estimate in
            #expect(estimate.count == done * 3)
            counts.append(done)
        }
        #expect(counts == [1, 2])
        var expected = PerplexityEstimate()
        for chunk in [tokens[..<8], tokens[8..<16]] {
            let window = [try #require(model.tokenizer.bos)] + chunk.dropFirst()
            try scorer.score(window, from: 0) { position, next in
                if (4..<7).contains(position) { expected.add(-next[window[position + 1]]) }
            }
        }
        #expect(estimate.perplexity == expected.perplexity)
        #expect(estimate.standardError == expected.standardError)
        #expect(PerplexityEstimate().standardError.isNaN)
    }
}
