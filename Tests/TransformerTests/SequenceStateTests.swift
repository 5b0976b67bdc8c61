// Sequences: what they refuse, and that a refusal changes nothing.

import InferGGUF
import InferSupport
import InferTensors
import InferTransformer
import TestSupport
import Testing

@Suite("SequenceState")
struct SequenceStateTests {
    let model: TransformerModel

    init() throws {
        model = try TransformerModel(
            Fixture.file("tiny-llama-f32"), backend: CPUBackend(threads: 1))
    }

    private func code(_ body: () throws -> Void) -> InferenceError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? InferenceError)?.code }
    }

    @Test func rewindForgets() throws {
        let run = try SequenceRun(model, capacity: 16, cacheType: .f32)
        try run.evaluate([5, 6, 7], outputs: [2])
        let first = run.rows
        try run.evaluate([8, 9], outputs: [])
        try run.state.forget(from: 2)
        try run.evaluate([7], outputs: [0])
        #expect(run.rows == first)
        #expect(run.count == 3)
        #expect(code { try run.state.forget(from: 4) } == .invalidArgument)
    }

    @Test func topTokensAreThoseOfTheRows() throws {
        let run = try SequenceRun(model, capacity: 16, cacheType: .f32)
        let cases: [(Int, Int?, [Int])] = [(3, nil, [0, 2]), (70, 50, [1]), (3, 40, [0, 1, 2])]
        for (count, tokenCount, outputs) in cases {
            for wholeRows in [true, false] {
                let request = LogitsRequest(wholeRows: wholeRows, topTokens: count, tokenCount: tokenCount)
                try run.evaluate([5, 6, 7], outputs: outputs, request: request, certainRows: 0)
                let found = run.output?.topTokens ?? []
                let rows = run.rows.map { $0.prefix(tokenCount ?? $0.count) }
                let expected = rows.map { row in
                    let all = row.indices.map { TopToken(token: Int32($0), logit: row[$0]) }
                    return Array(all.sorted(by: >).prefix(min(count, TopTokenBuffers.largestCount)))
                }
                #expect(found == expected && found.count == outputs.count)
            }
        }
        try run.evaluate([5], outputs: [0])
        #expect(run.output?.topTokens.isEmpty == true)
    }

    @Test func refusals() throws {
        let run = try SequenceRun(model, capacity: 4, cacheType: .f32)
        try run.evaluate([5, 6], outputs: [])
        #expect(code { try run.evaluate([1, 2, 3], outputs: []) } == .contextFull)
        #expect(code { try run.evaluate([-1], outputs: []) } == .invalidArgument)
        #expect(code { try run.evaluate([Int32.max], outputs: []) } == .invalidArgument)
        #expect(code { try run.evaluate([], outputs: []) } == .invalidArgument)
        #expect(code { try run.evaluate([1], outputs: [1]) } == .invalidArgument)
        #expect(code { try run.evaluate([1, 2], parents: [-1, 1], outputs: []) } == .invalidArgument)
        #expect(code { try run.evaluate([1, 2], parents: [-1], outputs: []) } == .invalidArgument)
        #expect(code { try run.state.keep(rows: [0]) } == .invalidArgument)
        #expect(run.count == 2)
        try run.evaluate([1, 2], parents: [-1, -1], outputs: [0, 1])
        #expect(code { try run.state.keep(rows: [0, 1]) } == .invalidArgument)
        try run.state.keep(rows: [1])
        #expect(run.count == 3)
    }

    @Test func estimateCoversWhatIsAllocated() throws {
        let small = model.sequenceByteCount(capacity: 16, cacheType: .f32)
        let large = model.sequenceByteCount(capacity: 32, cacheType: .f32)
        let perToken = model.attentionPlans.reduce(0) { $0 + $1.keyValueHeads * ($1.keyLength + $1.valueLength) * 4 }
        #expect(large - small >= 16 * perToken)
        #expect(try SequenceRun(model, capacity: 32, cacheType: .f32).state.byteCount == large)
    }
}
