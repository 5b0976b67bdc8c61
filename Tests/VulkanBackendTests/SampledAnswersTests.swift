// Answers that are sampled from the top tokens and the softmax's sums that a device computes.

import InferDecoding
import InferGGUF
import SwiftInfer
import TestSupport
import Testing

@Suite("Sampled answers on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct SampledAnswersTests {
    @Test("Answers depend neither on whether whole rows are read nor on drafting", arguments: [Float(1), 0.9])
    func answers(topP: Float) async throws {
        let path = try Fixture.file("tiny-llama-q4_0").path
        let prompt = Prompt.text("def add(self, item):\n    self.items.append(item)\n\ndef add(self, item):\n")
        var options = GenerationOptions(maximumTokens: 60)
        options.sampling.temperature = 0.4
        options.sampling.topP = topP
        var answers: [Int32: Set<[Int32]>] = [:]
        for drafter in [DrafterChoice.none, .promptLookup] {
            let model = try Model(contentsOf: path, options: .init(backend: .vulkan))
            let session = try model.makeSession(.init(drafter: drafter))
            for seed in 1...3 {
                for readsRows in [false, true] {
                    options.sampling.seed = UInt64(seed)
                    options.hashesLogits = readsRows
                    answers[Int32(seed), default: []].insert(
                        try await session.generate(prompt, options: options).response().statistics.tokens)
                }
            }
        }
        #expect(answers.count == 3)
        for answer in answers.values { #expect(answer.count == 1) }
        // Control: another seed gives another answer.
        #expect(Set(answers.values).count == 3)
    }
}
