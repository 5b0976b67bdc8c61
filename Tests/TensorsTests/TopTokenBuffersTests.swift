// The top tokens of rows of logits, compared with a sort, for all instruction sets, numbers of threads and difficult
// rows.

import InferGGUF
import InferTensors
import TestSupport
import Testing

struct TopTokenBuffersTests {
    /// Rows of `count` logits that are difficult for a search.
    private static func rows(_ count: Int) -> [[Float]] {
        var source = SeededGenerator(UInt64(count))
        let random = source.floats(count, range: 20)
        let few: [Float] = [-1, 0, -0.0, 1, .nan, -.infinity]
        let rare: [Float] = [.infinity, .nan, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
        let ties = (0..<count).map { _ in few.randomElement(using: &source) ?? 0 }
        let mixed = random.map { value in
            Int.random(in: 0..<9, using: &source) > 0 ? value : rare.randomElement(using: &source) ?? value
        }
        return [
            random, ties, mixed,
            [Float](repeating: 2.5, count: count), [Float](repeating: .nan, count: count),
            [Float](repeating: -.infinity, count: count), [Float](repeating: .infinity, count: count),
            (0..<count).map(Float.init), (0..<count).map { -Float($0) },
            // Only a few logits are eligible.
            (0..<count).map { $0 % 97 == 96 ? Float($0 % 5) : .nan },
            // Subnormals, which differ only if they are not flushed to zero.
            (0..<count).map { Float(bitPattern: UInt32($0 * 7 % 100)) },
        ]
    }

    /// The top tokens according to a sort.
    private static func sorted(_ row: ArraySlice<Float>, _ count: Int) -> [TopToken] {
        let eligible = row.indices.filter { row[$0] > -.infinity }
        return eligible.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(count)
            .map { TopToken(token: Int32($0 - row.startIndex), logit: row[$0]) }
    }

    @Test(arguments: [1, 63, 64, 65, 200, 513, 5000, 33_000])
    func searchesFindWhatASortFinds(_ tokenCount: Int) throws {
        // Logits beyond the vocabulary are larger than all others and must be ignored.
        let rows = Self.rows(tokenCount).map { $0 + [1e30, .infinity, 1e30] }
        let choices: [KernelChoice] = [.reference] + TunedKernels.names.map(KernelChoice.named)
        for (threads, kernels) in [(2, KernelChoice.automatic)] + choices.map({ (3, $0) }) {
            let backend = try CPUBackend(threads: threads, kernels: kernels)
            let logits = try backend.makeActivations(rows: rows.count, columns: tokenCount + 3)
            backend.write(rows.flatMap { $0 }, to: logits)
            for count in [1, 2, 6, 64] {
                let buffers = try TopTokenBuffers(
                    count, rows: rows.count, columns: tokenCount + 3, on: backend)
                for width in [rows.count, 1] {
                    backend.findTopTokens(logits, rows: width, of: tokenCount, hasMaxima: false, into: buffers)
                    let found = buffers.read(rows: width, from: backend)
                    #expect(found == rows[..<width].map { Self.sorted($0[..<tokenCount], count) })
                }
            }
        }
    }

    /// The maxima may come from the product, block by block, or from the search.
    @Test(arguments: [TensorType.f32, .q4_1, .q6_K], [40, 64, 77, 1030])
    func maximaOfProductsServeSearches(_ type: TensorType, _ rows: Int) throws {
        let columns = 256, width = 40
        var source = SeededGenerator(UInt64(rows))
        let model = try TemporaryModel([
            (
                name: "w", type: type, shape: [columns, rows],
                bytes: SampleWeights.rows(type, rows, k: columns, using: &source)
            ),
            (name: "b", type: .f32, shape: [rows], bytes: SampleWeights.rows(.f32, 1, k: rows, using: &source)),
        ])
        let inputs = source.floats(width * columns)
        for (threads, kernels) in [(1, KernelChoice.reference), (1, .automatic), (3, .automatic)] {
            let backend = try CPUBackend(threads: threads, kernels: kernels)
            let tensor = try #require(model.file.tensor("w")), offset = try #require(model.file.tensor("b"))
            let weight = try backend.makeMatrix(tensor, rows: 0..<rows, of: model.file)
            let bias = try backend.makeVector(offset, of: model.file)
            let x = try backend.makeActivations(rows: width, columns: columns)
            let logits = try backend.makeActivations(rows: width, columns: rows)
            backend.write(inputs, to: x)
            for tokenCount in [rows, rows - 1, rows - 3] {
                let buffers = try TopTokenBuffers(6, rows: width, columns: rows, on: backend)
                for count in [1, width] {
                    backend.multiply(
                        x, rows: count, [Projection(weight, bias: bias, into: logits, maxima: buffers.maxima)])
                    var found: [[[TopToken]]] = []
                    for hasMaxima in [true, false] {
                        backend.findTopTokens(
                            logits, rows: count, of: tokenCount, hasMaxima: hasMaxima, into: buffers)
                        found.append(buffers.read(rows: count, from: backend))
                    }
                    #expect(found[0] == found[1] && found[0].allSatisfy { $0.count == 6 })
                }
            }
        }
    }

    @Test func maximaAreThoseOfSixtyFour() {
        for count in [1, 15, 16, 17, 63, 64, 65, 129, 1000] {
            for row in Self.rows(count) {
                let blocks = stride(from: 0, to: count, by: 64).map { row[$0..<min($0 + 64, count)] }
                let expected = blocks.map { $0.reduce(-Float.infinity) { $1 > $0 ? $1 : $0 } }
                for kernels in kernelSets {
                    var maxima = [Float](repeating: .nan, count: expected.count) + [7]
                    kernels.maxima(count, row, into: &maxima)
                    #expect(maxima == expected + [7], "\(kernels.name)")
                }
            }
        }
    }

    @Test func keysKeepTokenAndLogit() {
        for logit in [0, 1, -1, 0x1p-149, -0x1p-149, .infinity, -.infinity, .greatestFiniteMagnitude] as [Float] {
            for token in [0, 1, .max] as [Int32] {
                let top = TopToken(token: token, logit: logit)
                #expect(top.token == token && top.logit == logit)
                #expect(TopToken(key: top.key) == top)
            }
        }
        #expect(TopToken(key: 0) == nil)
        #expect(TopToken(token: 5, logit: -0.0) == TopToken(token: 5, logit: 0))
        #expect(TopToken(token: 5, logit: 1) > TopToken(token: 6, logit: 1))
        #expect(TopToken(token: 6, logit: 1.5) > TopToken(token: 5, logit: 1))
    }
}
