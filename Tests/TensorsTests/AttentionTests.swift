// Attention: comparison with double precision, and equal bits of a row in a draft tree and in a line.

import Foundation
import InferGGUF
import InferTensors
import TestSupport
import Testing

struct AttentionTests {
    private static let heads = 6, keyValueHeads = 2, dimension = 32

    /// The query, keys and values of a token.
    private struct Token {
        let query: [Float], key: [Float], value: [Float]

        init(using source: inout SeededGenerator) {
            query = source.floats(heads * dimension, range: 2)
            key = source.floats(keyValueHeads * dimension, range: 2)
            value = source.floats(keyValueHeads * dimension)
        }

        /// A token with only NaN values.
        static let poison = Token(
            query: Array(repeating: .nan, count: heads * dimension),
            key: Array(repeating: .nan, count: keyValueHeads * dimension),
            value: Array(repeating: .nan, count: keyValueHeads * dimension))

        private init(query: [Float], key: [Float], value: [Float]) {
            self.query = query
            self.key = key
            self.value = value
        }
    }

    /// A cache and the activations for steps over it.
    private struct Setup {
        let backend: CPUBackend
        let cache: KVCache
        let queries: Activations, keys: Activations, values: Activations, outputs: Activations

        init(
            _ type: KVCacheType, threads: Int = 2, kernels: KernelChoice = .automatic, slots: Int = 96
        ) throws {
            backend = try CPUBackend(threads: threads, kernels: kernels)
            let shape = KVCacheShape(
                layers: 2, heads: keyValueHeads, keyDimension: dimension, valueDimension: dimension, slots: slots,
                type: type)
            cache = try backend.makeCache(shape)
            queries = try backend.makeActivations(rows: 64, columns: heads * dimension)
            outputs = try backend.makeActivations(rows: 64, columns: heads * dimension)
            keys = try backend.makeActivations(rows: 64, columns: keyValueHeads * dimension)
            values = try backend.makeActivations(rows: 64, columns: keyValueHeads * dimension)
        }

        /// Runs a step and returns the output row of each token.
        func step(_ tokens: [Token], _ layout: SegmentLayout, _ parameters: AttentionParameters) -> [[Float]] {
            backend.write(tokens.flatMap(\.query), to: queries)
            backend.write(tokens.flatMap(\.key), to: keys)
            backend.write(tokens.flatMap(\.value), to: values)
            let segments = [AttentionSegment(firstRow: 0, layout: layout, cache: cache)]
            backend.store(keys: keys, values: values, segments, layer: 1)
            backend.attend(queries, segments, layer: 1, parameters, into: outputs)
            return backend.read(outputs, rows: tokens.count) { flat in
                tokens.indices.map { Array(flat[$0 * heads * dimension..<($0 + 1) * heads * dimension]) }
            }
        }
    }

    private static func parameters(
        _ backend: CPUBackend, window: Int?, softCap: Float?, sinks: Bool
    ) throws -> AttentionParameters {
        AttentionParameters(
            heads: heads, keyValueHeads: keyValueHeads, scale: 1 / Float(dimension).squareRoot(), window: window,
            softCap: softCap, sinks: sinks ? try makeVector([0.5, -1, 3, 0, 1, 2], with: backend) : nil)
    }

    /// Attention of the last token of `line` over all of its tokens, in double precision.
    private static func exact(
        _ line: [Token], window: Int?, softCap: Double?, sinks: [Double]?
    ) -> [Double] {
        let first = max(0, line.count - (window ?? line.count))
        return (0..<heads).flatMap { head -> [Double] in
            let offset = head / (heads / keyValueHeads) * dimension
            let scores = line[first...].map { token -> Double in
                var score = 0.0
                for d in 0..<dimension {
                    score += Double(line[line.count - 1].query[head * dimension + d]) * Double(token.key[offset + d])
                }
                score /= Double(dimension).squareRoot()
                return softCap.map { $0 * Foundation.tanh(score / $0) } ?? score
            }
            let total = scores.reduce(sinks.map { Foundation.exp($0[head]) } ?? 0) { $0 + Foundation.exp($1) }
            return (0..<dimension).map { d in
                zip(line[first...], scores).reduce(0) { $0 + Foundation.exp($1.1) * Double($1.0.value[offset + d]) }
                    / total
            }
        }
    }

    @Test(arguments: KVCacheType.allCases)
    func agreesWithDoublePrecision(_ type: KVCacheType) throws {
        var source = SeededGenerator(7)
        let tokens = (0..<40).map { _ in Token(using: &source) }
        for (window, softCap, sinks) in [(nil, nil, false), (9, 20, true)] as [(Int?, Float?, Bool)] {
            for kernels in [KernelChoice.automatic, .reference] {
                let setup = try Setup(type, kernels: kernels)
                let parameters = try Self.parameters(setup.backend, window: window, softCap: softCap, sinks: sinks)
                let outputs = setup.step(tokens, SegmentLayout(chain: tokens.count, after: 0), parameters)
                for row in tokens.indices {
                    let exact = Self.exact(
                        Array(tokens[...row]), window: window, softCap: softCap.map { Double($0) },
                        sinks: sinks ? [0.5, -1, 3, 0, 1, 2] : nil)
                    let tolerance = type == .f32 ? 1e-5 : type == .f16 ? 2e-3 : 0.05
                    #expect(zip(outputs[row], exact).allSatisfy { abs(Double($0) - $1) < tolerance }, "row \(row)")
                }
            }
        }
    }

    @Test(arguments: KVCacheType.allCases, [nil, 1, 3, 16])
    func aTreeGivesTheBitsOfALine(_ type: KVCacheType, _ window: Int?) throws {
        var source = SeededGenerator(8)
        for committed in [0, 1, 15, 40] {
            let past = (0..<committed).map { _ in Token(using: &source) }
            let drafts = (0..<20).map { _ in Token(using: &source) }
            let parents = drafts.indices.map { Int32($0 == 0 ? -1 : Int.random(in: -1..<$0, using: &source)) }
            let tree = try Setup(type)
            let parameters = try Self.parameters(tree.backend, window: window, softCap: 30, sinks: committed == 15)
            if !past.isEmpty { _ = tree.step(past, SegmentLayout(chain: committed, after: 0), parameters) }
            let together = tree.step(drafts, SegmentLayout(parents: parents, after: committed), parameters)
            for row in drafts.indices {
                var line: [Int] = [row]
                while parents[line[0]] >= 0 { line.insert(Int(parents[line[0]]), at: 0) }
                // The whole line in one step, and token by token, with another number of threads.
                let whole = try Setup(type, threads: 1)
                let all = past + line.map { drafts[$0] }
                let rows = whole.step(all, SegmentLayout(chain: all.count, after: 0), parameters)
                #expect(rows.last?.bits == together[row].bits, "row \(row) after \(committed), at once")
                guard row % 5 == 0 else { continue }
                let single = try Setup(type, threads: 3)
                var last: [Float] = []
                for (position, token) in all.enumerated() {
                    last = single.step([token], SegmentLayout(chain: 1, after: position), parameters)[0]
                }
                #expect(last.bits == together[row].bits, "row \(row) after \(committed), one by one")
            }
        }
    }

    @Test(arguments: KVCacheType.allCases)
    func swiftAndCGiveTheSameBits(_ type: KVCacheType) throws {
        var source = SeededGenerator(9)
        let past = (0..<30).map { _ in Token(using: &source) }
        let drafts = (0..<9).map { _ in Token(using: &source) }
        var results: [[UInt32]] = []
        for kernels in [KernelChoice.automatic, .reference] {
            let setup = try Setup(type, kernels: kernels)
            let parameters = try Self.parameters(setup.backend, window: nil, softCap: nil, sinks: false)
            let first = setup.step(past, SegmentLayout(chain: past.count, after: 0), parameters)
            let layout = SegmentLayout(parents: [-1, 0, 0, 1, 2, 2, 5, -1, 7], after: past.count)
            results.append((first + setup.step(drafts, layout, parameters)).flatMap(\.bits))
        }
        #expect(results[0] == results[1])
    }

    /// Large steps, which threads divide by items or within items, give the bits of one thread and of single tokens.
    @Test(arguments: KVCacheType.allCases, [nil, 700])
    func divisionAmongThreadsChangesNoBit(_ type: KVCacheType, _ window: Int?) throws {
        var source = SeededGenerator(12)
        let past = (0..<1500).map { _ in Token(using: &source) }
        let last = (0..<40).map { _ in Token(using: &source) }
        let parents = last.indices.map { Int32($0 == 0 ? -1 : Int.random(in: max(-1, $0 - 4)..<$0, using: &source)) }
        var expected: [[[UInt32]]] = []
        for (threads, kernels) in [(1, KernelChoice.automatic), (2, .automatic), (3, .automatic), (8, .named("avx2"))] {
            let setup = try Setup(type, threads: threads, kernels: kernels, slots: 1600)
            let parameters = try Self.parameters(setup.backend, window: window, softCap: nil, sinks: true)
            for start in stride(from: 0, to: past.count, by: 60) {
                _ = setup.step(
                    Array(past[start..<start + 60]), SegmentLayout(chain: 60, after: start), parameters)
            }
            var outputs: [[[UInt32]]] = []
            for width in [1, 2, 5, 40] {
                let layout = SegmentLayout(chain: width, after: past.count)
                outputs.append(setup.step(Array(last[..<width]), layout, parameters).map(\.bits))
            }
            outputs.append(setup.step(last, SegmentLayout(parents: parents, after: past.count), parameters).map(\.bits))
            if expected.isEmpty {
                // Narrower steps are a prefix of the widest one, except for the tree.
                for width in 0..<3 { #expect(outputs[width] == Array(outputs[3][..<outputs[width].count])) }
                #expect(outputs[4] != outputs[3])
                expected = outputs
            }
            #expect(outputs == expected, "\(threads) threads, \(kernels)")
        }
    }

    /// After accepted rows are moved to the front, later steps compute as if the rejected rows had never existed.
    @Test(arguments: KVCacheType.allCases)
    func movedSlotsGiveTheSameBits(_ type: KVCacheType) throws {
        var source = SeededGenerator(10)
        let past = (0..<14).map { _ in Token(using: &source) }
        let drafts = (0..<8).map { _ in Token(using: &source) }
        let next = Token(using: &source)
        let tree = try Setup(type), line = try Setup(type)
        let parameters = try Self.parameters(tree.backend, window: nil, softCap: nil, sinks: false)
        _ = tree.step(past, SegmentLayout(chain: 14, after: 0), parameters)
        _ = tree.step(drafts, SegmentLayout(parents: [-1, 0, 0, 1, 2, 2, 5, 4], after: 14), parameters)
        tree.backend.moveSlots(
            [(from: 14, to: 14), (from: 16, to: 15), (from: 19, to: 16), (from: 20, to: 17)], in: tree.cache)
        let afterTree = tree.step([next], SegmentLayout(chain: 1, after: 18), parameters)
        let accepted = past + [drafts[0], drafts[2], drafts[5], drafts[6]]
        _ = line.step(accepted, SegmentLayout(chain: 18, after: 0), parameters)
        #expect(afterTree[0].bits == line.step([next], SegmentLayout(chain: 1, after: 18), parameters)[0].bits)
    }

    /// A row that is not an ancestor does not affect another row, even if its values are NaN.
    @Test func otherBranchesHaveNoEffect() throws {
        var source = SeededGenerator(11)
        let tokens = (0..<6).map { _ in Token(using: &source) }
        let clean = try Setup(.f32), dirty = try Setup(.f32)
        let parameters = try Self.parameters(clean.backend, window: nil, softCap: nil, sinks: false)
        let parents: [Int32] = [-1, 0, 0, 2, 1, 4]
        let expected = clean.step(tokens, SegmentLayout(parents: parents, after: 0), parameters)
        var poisoned = tokens
        poisoned[2] = .poison
        poisoned[3] = .poison
        let outputs = dirty.step(poisoned, SegmentLayout(parents: parents, after: 0), parameters)
        for row in [0, 1, 4, 5] { #expect(outputs[row].bits == expected[row].bits, "row \(row)") }
        #expect(outputs[2].allSatisfy { $0.isNaN })
        // In a chain, a row does not see later rows.
        let chain = clean.step(tokens, SegmentLayout(chain: 6, after: 0), parameters)
        let cut = dirty.step(tokens[..<4] + [.poison, .poison], SegmentLayout(chain: 6, after: 0), parameters)
        for row in 0..<4 { #expect(chain[row].bits == cut[row].bits, "row \(row)") }
    }
}
