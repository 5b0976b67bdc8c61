// Attention on the device over several chunks: it agrees with the processor, and widths and trees change no bit.

import InferGGUF
import InferTensors
import InferVulkan
import Testing

@Suite("Attention on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct AttentionTests {
    /// A kind of attention.
    struct Kind: Sendable, CustomTestStringConvertible {
        var type = KVCacheType.f16
        var heads = 6, keyValueHeads = 2
        // Values that fill neither a group of eight nor four groups.
        var keyDimension = 20, valueDimension = 44
        var window: Int?
        var softCap: Float?
        var hasSinks = false

        var testDescription: String {
            "\(type), \(heads)/\(keyValueHeads) heads, \(keyDimension)/\(valueDimension), window \(window ?? 0), "
                + "\(softCap == nil ? "" : "capped, ")\(hasSinks ? "sinks" : "")"
        }
    }

    static let kinds = [
        Kind(), Kind(type: .f32, window: 1500), Kind(window: 1024, softCap: 30), Kind(softCap: 2, hasSinks: true),
        Kind(
            type: .q8_0, heads: 3, keyValueHeads: 3, keyDimension: 32, valueDimension: 64, window: 2060, hasSinks: true),
    ]
    /// The values of the token at a position, or of a wrong token that a draft has there.
    private static func values(_ count: Int, _ position: Int, isWrong: Bool = false, seed: Int) -> [Float] {
        (0..<count).map { i in
            let number = (i &* 7919 &+ position &* 104_729 &+ seed &* 1_299_709 &+ (isWrong ? 977 : 0)) % 2003
            return Float(number) / 500 - 2
        }
    }

    /// A cache and the operands of steps.
    private struct Setup {
        let backend: any Backend, kind: Kind, cache: KVCache, parameters: AttentionParameters
        let queries: Activations, keys: Activations, values: Activations, outputs: Activations

        init(_ kind: Kind, on backend: any Backend) throws {
            (self.backend, self.kind) = (backend, kind)
            cache = try backend.makeCache(
                KVCacheShape(
                    layers: 2, heads: kind.keyValueHeads, keyDimension: kind.keyDimension,
                    valueDimension: kind.valueDimension, slots: 2300, type: kind.type))
            let file = try ProductTests.file(.f32, columns: 8, rows: kind.heads)
            let sinks = try kind.hasSinks ? backend.makeVector(#require(file.tensor("b")), of: file) : nil
            parameters = AttentionParameters(
                heads: kind.heads, keyValueHeads: kind.keyValueHeads,
                scale: 1 / Float(kind.keyDimension).squareRoot(), window: kind.window, softCap: kind.softCap,
                sinks: sinks)
            queries = try backend.makeActivations(rows: 64, columns: kind.heads * kind.keyDimension)
            outputs = try backend.makeActivations(rows: 64, columns: kind.heads * kind.valueDimension)
            keys = try backend.makeActivations(rows: 64, columns: kind.keyValueHeads * kind.keyDimension)
            values = try backend.makeActivations(rows: 64, columns: kind.keyValueHeads * kind.valueDimension)
        }

        /// Stores tokens in the cache. Some may be wrong.
        func store(_ tokens: [(position: Int, isWrong: Bool)], at slot: Int) {
            write(tokens)
            backend.store(
                keys: keys, values: values, segments(SegmentLayout(chain: tokens.count, after: slot)), layer: 1)
        }

        /// Writes the tokens' queries, keys and values to the first rows of the operands.
        func write(_ tokens: [(position: Int, isWrong: Bool)]) {
            func write(_ x: Activations, seed: Int) {
                backend.write(
                    tokens.flatMap { AttentionTests.values(x.columns, $0.position, isWrong: $0.isWrong, seed: seed) },
                    to: x)
            }
            write(queries, seed: 1)
            write(keys, seed: 2)
            write(values, seed: 3)
        }

        /// The first rows of the operands, or those from `firstRow` on, as one segment.
        func segments(_ layout: SegmentLayout, firstRow: Int = 0) -> [AttentionSegment] {
            [AttentionSegment(firstRow: firstRow, layout: layout, cache: cache)]
        }

        /// Fills the first slots with the tokens at their positions.
        func fill(_ count: Int) {
            for start in stride(from: 0, to: count, by: 64) {
                store((start..<min(start + 64, count)).map { ($0, false) }, at: start)
            }
        }

        /// A step. Returns the output of each row.
        func step(_ layout: SegmentLayout, wrong: Set<Int> = []) -> [[Float]] {
            store(
                (0..<layout.count).map { (layout.position(of: $0), wrong.contains($0)) }, at: layout.committed)
            backend.attend(queries, segments(layout), layer: 1, parameters, into: outputs)
            let width = outputs.columns
            return backend.read(outputs, rows: layout.count) { all in
                (0..<layout.count).map { Array(all[$0 * width..<($0 + 1) * width]) }
            }
        }
    }

    @Test("Rows of two sequences in one step have the bits of separate steps", arguments: kinds)
    func firstRow(_ kind: Kind) throws {
        let device = try Device.shared.get()
        let single = try Setup(kind, on: device)
        single.fill(1020)
        let expected = Self.bits(single.step(SegmentLayout(chain: 10, after: 1020)))
        // Rows 0 to 4 are another sequence's.
        let joint = try Setup(kind, on: device)
        joint.fill(1020)
        joint.write((0..<5).map { ($0, true) } + (1020..<1030).map { ($0, false) })
        let segments = joint.segments(SegmentLayout(chain: 10, after: 1020), firstRow: 5)
        device.store(keys: joint.keys, values: joint.values, segments, layer: 1)
        device.attend(joint.queries, segments, layer: 1, joint.parameters, into: joint.outputs)
        let width = joint.outputs.columns
        let found = device.read(joint.outputs, rows: 15) { all in
            (0..<15).map { Array(all[$0 * width..<($0 + 1) * width]) }
        }
        #expect(Self.bits(Array(found[5...])) == expected)
        #expect(found[..<5].allSatisfy { $0.allSatisfy { $0 == 0 } })
        let first = device.validationMessages.first
        #expect(first == nil)
    }

    private static func bits(_ rows: [[Float]]) -> [[UInt32]] { rows.map { $0.map(\.bitPattern) } }

    @Test("Long rows agree with the processor", arguments: kinds)
    func parity(_ kind: Kind) throws {
        let setups = try [CPUBackend(threads: 1) as any Backend, Device.shared.get()].map { try Setup(kind, on: $0) }
        for setup in setups { setup.fill(2200) }
        // Up to one chunk, the first of a second, and three.
        for committed in [1020, 2030, 2200] {
            let rows = setups.map { $0.step(SegmentLayout(chain: 10, after: committed)) }
            // The processor rounds the queries that it multiplies with eight-bit keys.
            let tolerance: Float = kind.type == .q8_0 ? 0.05 : 1e-4
            for (wanted, found) in zip(rows[0], rows[1]) {
                #expect(zip(wanted, found).allSatisfy { abs($0 - $1) < tolerance }, "after \(committed)")
            }
        }
        let first = try Device.shared.get().validationMessages.first
        #expect(first == nil)
    }

    @Test("Widths, trees and tilings change no bit of long rows", arguments: kinds)
    func exactness(_ kind: Kind) throws {
        // Across the end of a chunk, with and without a window.
        for start in [1000, 2030] {
            let single = try Setup(kind, on: Device.shared.get())
            single.fill(start)
            let expected = Self.bits((start..<start + 64).map { single.step(SegmentLayout(chain: 1, after: $0))[0] })
            for tiling in [
                nil, DeviceTiling(isSoftware: false, sharedBytes: 49_152), .init(isSoftware: true, sharedBytes: 16_384),
            ] {
                let setup = try Setup(kind, on: tiling.map { try VulkanBackend(tiling: $0) } ?? Device.shared.get())
                for width in tiling == nil ? [2, 3, 7, 64] : [9, 64] {
                    setup.fill(start)
                    var found: [[UInt32]] = []
                    for first in stride(from: 0, to: 64, by: width) {
                        let count = min(width, 64 - first)
                        found += Self.bits(setup.step(SegmentLayout(chain: count, after: start + first)))
                    }
                    #expect(found == expected, "from \(start), width \(width)")
                }
                // Every other row is right.
                setup.fill(start)
                let parents = (0..<64).map { (row: Int32) -> Int32 in row % 2 == 1 ? row - 2 : row - 1 }
                let wrong = Set(stride(from: 0, to: 64, by: 2))
                let tree = Self.bits(setup.step(SegmentLayout(parents: parents, after: start), wrong: wrong))
                let found = stride(from: 1, to: 64, by: 2).map { tree[$0] }
                #expect(found == Array(expected[..<32]), "tree after \(start)")
            }
        }
        let first = try Device.shared.get().validationMessages.first
        #expect(first == nil)
    }

    @Test("The comparison can fail: another token gives another result")
    func control() throws {
        let setup = try Setup(Kind(), on: Device.shared.get())
        setup.fill(1500)
        let rows = Self.bits(setup.step(SegmentLayout(chain: 2, after: 1500)))
        setup.store([(7, true)], at: 7)
        let others = Self.bits(setup.step(SegmentLayout(chain: 2, after: 1500)))
        #expect(rows[0] != others[0] && rows[1] != others[1] && rows[0] != rows[1])
    }
}
