// The forward pass against llama.cpp's numbers, architecture by architecture and type by type.

import Foundation
import InferGGUF
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("Parity with the reference engine")
struct ParityTests {
    @Test("There is a fixture for every architecture")
    func coverage() throws {
        var architectures: Set<String> = []
        for fixture in Fixture.all {
            let file = try GGUFFile(path: fixture.path)
            architectures.insert(try #require(try file.metadata.string("general.architecture")))
        }
        #expect(architectures.sorted() == Configuration.architectures)
    }

    /// Teacher-forced: prompt and reference tokens go in, each row is compared with the reference's.
    @Test("Log-probabilities", arguments: Fixture.all)
    func logProbabilities(_ fixture: Fixture) throws {
        try compare(fixture, kernels: .automatic, tolerance: fixture.tolerance)
    }

    @Test(
        "Log-probabilities with products by a BLAS library",
        .enabled("no BLAS library here") { (try? KernelChoice.blas.makeKernels()) != nil }, arguments: Fixture.all)
    func logProbabilitiesByLibrary(_ fixture: Fixture) throws {
        // The reference engine rounds activations to eight bits for quantised weights; these products do not.
        try compare(fixture, kernels: .blas, tolerance: fixture.tolerance * (fixture.tolerance < 0.02 ? 1 : 3))
    }

    private func compare(_ fixture: Fixture, kernels: KernelChoice, tolerance: Double) throws {
        let model = try TransformerModel(
            GGUFFile(path: fixture.path), backend: CPUBackend(threads: 2, kernels: kernels))
        var deviations: [Double] = []
        for reference in fixture.cases {
            let tokens = (reference.promptTokens + reference.steps.map(\.token)).map { Int32($0) }
            let run = try SequenceRun(model, capacity: tokens.count, cacheType: .f32)
            let first = reference.promptTokens.count - 1
            try run.evaluate(tokens, outputs: Array(first..<first + reference.steps.count))
            for (row, step) in zip(run.rows, reference.steps) {
                let row = row.map(Double.init)
                let maximum = row.max() ?? 0
                let logSum = maximum + log(row.reduce(0) { $0 + exp($1 - maximum) })
                for pair in step.top.prefix(10) {
                    deviations.append(abs(row[Int(pair[0])] - logSum - pair[1]) * exp(pair[1]))
                }
            }
        }
        let mean = deviations.reduce(0, +) / Double(deviations.count)
        #expect(!deviations.isEmpty)
        #expect(mean <= tolerance, "mean weighted |Δ log p| \(mean)")
    }
}

extension Fixture {
    /// Largest allowed probability-weighted mean |Δ log p| over the ten best tokens.
    fileprivate var tolerance: Double {
        if model.contains("bf16") { return 0.005 }
        return model.contains("f32") || model.contains("f16") ? 0.002 : 0.02
    }
}
