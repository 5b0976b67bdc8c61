// Contexts: what they refuse, and that a refusal changes nothing.

import InferGGUF
import InferSupport
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("ModelContext")
struct ModelContextTests {
    let model: TransformerModel

    init() throws {
        model = try TransformerModel(
            Fixture.file("tiny-llama-f32"), backend: CPUBackend(threads: 1))
    }

    @Test func rewindForgets() throws {
        let context = try model.makeContext(capacity: 16, cacheType: .f32)
        try context.evaluate([5, 6, 7], outputs: [2])
        let first = context.withLogits { Array($0) }
        try context.evaluate([8, 9], outputs: [])
        try context.rewind(to: 2)
        try context.evaluate([7], outputs: [0])
        #expect(context.withLogits { Array($0) } == first)
        #expect(context.count == 3)
        expectRefusal(.invalidArgument) { try context.rewind(to: 4) }
    }

    @Test func likeliestTokensAreThoseOfTheRows() throws {
        let context = try model.makeContext(capacity: 16, cacheType: .f32)
        let cases: [(Int, Int?, [Int])] = [(3, nil, [0, 2]), (70, 50, [1]), (3, 40, [0, 1, 2])]
        for (count, tokenCount, outputs) in cases {
            for wholeRows in [true, false] {
                let use = LogitsUse(wholeRows: wholeRows, likeliest: count, tokenCount: tokenCount)
                try context.evaluate([5, 6, 7], outputs: outputs, use: use, commit: false)
                let found = context.likeliest
                let width = model.configuration.vocabularySize
                let rows = context.withLogits { logits in
                    stride(from: 0, to: logits.count, by: width)
                        .map { Array(logits[$0..<$0 + min(tokenCount ?? width, width)]) }
                }
                let expected = rows.map { row in
                    let all = row.indices.map { Candidate(token: Int32($0), logit: row[$0]) }
                    return Array(all.sorted(by: >).prefix(min(count, LikeliestTokens.largestCount)))
                }
                #expect(found == expected && found.count == outputs.count)
            }
        }
        try context.evaluate([5], outputs: [0])
        #expect(context.likeliest.isEmpty)
    }

    @Test func refusals() throws {
        let context = try model.makeContext(capacity: 4, cacheType: .f32)
        try context.evaluate([5, 6], outputs: [])
        expectRefusal(.contextFull) { try context.evaluate([1, 2, 3], outputs: []) }
        expectRefusal(.invalidArgument) { try context.evaluate([-1], outputs: []) }
        expectRefusal(.invalidArgument) { try context.evaluate([Int32.max], outputs: []) }
        expectRefusal(.invalidArgument) { try context.evaluate([], outputs: []) }
        expectRefusal(.invalidArgument) { try context.evaluate([1], outputs: [1]) }
        expectRefusal(.invalidArgument) { try context.evaluate([1, 2], parents: [-1, 1], outputs: []) }
        expectRefusal(.invalidArgument) { try context.evaluate([1, 2], parents: [-1], outputs: []) }
        expectRefusal(.invalidArgument) { try context.accept(rows: [0]) }
        #expect(context.count == 2)
        try context.evaluate([1, 2], parents: [-1, -1], outputs: [0, 1])
        expectRefusal(.invalidArgument) { try context.accept(rows: [0, 1]) }
        try context.accept(rows: [1])
        #expect(context.count == 3)
    }

    @Test func estimateCoversWhatIsAllocated() throws {
        let small = model.contextByteCount(capacity: 16, cacheType: .f32)
        let large = model.contextByteCount(capacity: 32, cacheType: .f32)
        let c = model.configuration
        let perToken = c.blockCount * c.headCountKV * (c.keyLength + c.valueLength) * 4
        #expect(large - small >= 16 * perToken)
    }
}
