// Recurrent layers on the device: they agree with the processor, in chains, trees and steps that keep some rows; and a row's bits depend
// on its path alone.

import InferTensors
import InferVulkan
import TestSupport
import Testing

@Suite("Recurrent layers on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct RecurrentTests {
    /// A kind of layer: a convolution, then a scan of what it gives.
    struct Kind: Sendable, CustomTestStringConvertible {
        var heads = 4, keyHeads = 2
        // Values that do not fill a panel.
        var keyLength = 20, valueLength = 24
        var window = 3
        var isTiled = false, decaysPerKey = false, usesDeltaRule = true

        var testDescription: String {
            "\(heads)/\(keyHeads) heads\(isTiled ? ", tiled" : ""), \(keyLength) × \(valueLength), window \(window)"
                + (decaysPerKey ? ", a decay per key" : "") + (usesDeltaRule ? ", delta rule" : "")
        }

        var channels: Int { 2 * keyHeads * keyLength + heads * valueLength }
        var decayWidth: Int { heads * (decaysPerKey ? keyLength : 1) }
        var shape: RecurrentShape {
            RecurrentShape(
                layers: 2, window: window, channels: channels, heads: heads, keyLength: keyLength,
                valueLength: valueLength, keyHeads: keyHeads, decaysPerKey: decaysPerKey)
        }
        var rule: ScanParameters {
            ScanParameters(
                heads: heads, keyHeads: keyHeads, keyLength: keyLength, valueLength: valueLength,
                keyHeadsAreTiled: isTiled, decaysPerKey: decaysPerKey, usesDeltaRule: usesDeltaRule, scale: 0.3)
        }
    }

    static let kinds = [
        Kind(), Kind(isTiled: true, decaysPerKey: true), Kind(heads: 3, keyHeads: 1, window: 1, usesDeltaRule: false),
        Kind(heads: 1, keyHeads: 1, keyLength: 128, valueLength: 128), Kind(keyLength: 256, valueLength: 7, window: 5),
        Kind(heads: 6, keyHeads: 3, keyLength: 3, valueLength: 33, usesDeltaRule: false),
    ]

    /// A layer of two, and a sequence's memory of both, on one backend.
    private struct Layer {
        static let rows = 24
        let backend: any Backend, kind: Kind, memory: any RecurrentMemory
        let x: Activations, convolved: Activations, decays: Activations, betas: Activations, y: Activations
        let weight: WeightVector, bias: WeightVector

        init(_ kind: Kind, on backend: any Backend) throws {
            (self.backend, self.kind) = (backend, kind)
            var generator = SeededGenerator(7)
            weight = try backend.makeVector(generator.floats((kind.window + 1) * kind.channels))
            bias = try backend.makeVector(generator.floats(kind.channels))
            func make(_ columns: Int) throws -> Activations {
                try backend.makeActivations(rows: Self.rows, columns: columns)
            }
            (x, convolved, y) = try (make(kind.channels), make(kind.channels), make(kind.heads * kind.valueLength))
            (decays, betas) = try (make(kind.decayWidth), make(kind.heads))
            memory = try backend.makeRecurrentMemory(kind.shape)
        }

        /// The bits that both layers give for tokens, each of which has inputs of its own. The rows begin at row 1 of the buffers.
        func step(_ tokens: [Int], parents: [Int32]? = nil, certainRows: Int) throws -> [[UInt32]] {
            let layout =
                parents.map { SegmentLayout(parents: $0, after: 0) } ?? SegmentLayout(chain: tokens.count, after: 0)
            try memory.reserve(uncertainRows: tokens.count - certainRows)
            let segments = [RecurrentSegment(firstRow: 1, layout: layout, certainRows: certainRows, memory: memory)]
            let rows = tokens.count + 1
            func write(_ activations: Activations, _ range: ClosedRange<Float>) {
                let seeds = [0] + tokens.map { $0 + 1 }
                backend.write(
                    seeds.flatMap { seed in
                        var generator = SeededGenerator(UInt64(seed))
                        return (0..<activations.columns).map { _ in Float.random(in: range, using: &generator) }
                    }, to: activations)
            }
            write(x, -1...1)
            write(decays, 0.5...1)
            write(betas, 0...1)
            let inputs = ScanInputs(
                queries: .init(convolved), keys: .init(convolved, from: kind.keyHeads * kind.keyLength),
                values: .init(convolved, from: 2 * kind.keyHeads * kind.keyLength), decays: .init(decays),
                betas: kind.usesDeltaRule ? .init(betas) : nil)
            var found = [[UInt32]](repeating: [], count: tokens.count)
            for layer in 0..<2 {
                backend.convolve(
                    x, segments, layer: layer, weight: weight, bias: layer == 0 ? bias : nil, activates: layer == 0,
                    into: convolved)
                // Small keys, as unit vectors have them: by the delta rule, states would grow otherwise.
                backend.scale(convolved, rows: rows, by: 0.25)
                backend.scan(inputs, segments, layer: layer, kind.rule, into: y)
                backend.read(y, rows: rows) { values in
                    for row in tokens.indices {
                        found[row] += values[(row + 1) * y.columns..<(row + 2) * y.columns].map(\.bitPattern)
                    }
                }
            }
            if certainRows > 0 { memory.acceptCertainRows() }
            return found
        }
    }

    /// Steps of all sorts, and the bits of every row.
    private func run(_ kind: Kind, on backend: any Backend) throws -> [[UInt32]] {
        let layer = try Layer(kind, on: backend)
        var found = try layer.step(Array(0..<5), certainRows: 5)
        found += try layer.step([5], certainRows: 1)
        let checkpoint = try layer.memory.copyState()
        // A tree with several branches, of which nothing, a path and everything certain is kept.
        let tree: [Int32] = [-1, 0, 0, 1, 1, 2, 2, 5, 5, 1, 9, 10, 4, 4, -1, 14]
        found += try layer.step(Array(20..<36), parents: tree, certainRows: 0)
        found += try layer.step(Array(20..<36), parents: tree, certainRows: 0)
        layer.memory.advance(by: [0, 2, 5, 8])
        found += try layer.step([40, 41, 42], certainRows: 1)
        layer.memory.advance(by: [0])
        found += try layer.step([43, 44, 45, 46], parents: [-1, 0, 1, 1], certainRows: 2)
        found += try layer.step([47], certainRows: 1)
        layer.memory.restore(checkpoint)
        found += try layer.step([48, 49], certainRows: 2)
        layer.memory.reset()
        return try found + layer.step([50], certainRows: 1)
    }

    @Test("Steps of all sorts agree with the processor", arguments: kinds)
    func parity(_ kind: Kind) throws {
        let device = try Device.shared.get()
        let wanted = try run(kind, on: CPUBackend(threads: 1)), found = try run(kind, on: device)
        #expect(wanted.count == found.count)
        func differ(_ wanted: [UInt32], _ found: [UInt32]) -> Bool {
            let (wanted, found) = (wanted.map(Float.init(bitPattern:)), found.map(Float.init(bitPattern:)))
            let largest = wanted.reduce(0) { max($0, abs($1)) }
            return wanted.count != found.count || !zip(wanted, found).allSatisfy { abs($0 - $1) <= 1e-4 * largest }
        }
        let rows = zip(wanted, found).enumerated().filter { differ($1.0, $1.1) }.map(\.offset)
        #expect(rows.isEmpty)
        let message = device.validationMessages.first
        #expect(message == nil)
    }

    @Test("Rows of a tree have the bits of their paths taken alone", arguments: kinds)
    func trees(_ kind: Kind) throws {
        let device = try Device.shared.get()
        var generator = SeededGenerator(3)
        for certain in [0, 1] {
            let parents = (0..<20).map { row in
                row == 0 ? -1 : Int32.random(in: Int32(certain) - 1..<Int32(row), using: &generator)
            }
            let whole = try Layer(kind, on: device)
            _ = try whole.step([0, 1], certainRows: 2)
            let found = try whole.step(Array(100..<120), parents: parents, certainRows: certain)
            for row in [3, 11, 19] {
                var path = [row]
                while let parent = path.first.map({ parents[$0] }), parent >= 0 { path.insert(Int(parent), at: 0) }
                let alone = try Layer(kind, on: device)
                _ = try alone.step([0, 1], certainRows: 2)
                var last: [[UInt32]] = []
                for node in path { last = try alone.step([100 + node], certainRows: 1) }
                let isEqual = last == [found[row]]
                #expect(isEqual, "row \(row)")
            }
        }
    }

    @Test("States that fit no workgroup are refused")
    func refusal() throws {
        let device = try Device.shared.get()
        let shape = RecurrentShape(
            layers: 1, window: 0, channels: 8, heads: 1, keyLength: 1 << 20, valueLength: 1, keyHeads: 1)
        #expect(throws: (any Error).self) { try device.makeRecurrentMemory(shape) }
    }
}
