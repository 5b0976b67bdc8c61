// What the host keeps of each token of a sequence for some layers: index keys of attention, and the tokens themselves.

import InferSupport
import InferTensors

/// The values that a layer keeps for each token.
struct RowMemoryShape: Sendable, Equatable {
    /// Values of a token.
    var width: Int
    /// Consecutive tokens that are also kept as one pooled row; nil for none.
    var groupLength: Int?

    func byteCount(layers: Int, slots: Int) -> Int {
        Int.product(4, Int.product(layers, slots, width) + Int.product(layers, slots / (groupLength ?? .max), width))
    }
}

/// One row of values for each token of a sequence, on the host. Each token has a slot of its own, as in a cache of keys and values, so
/// that any prefix can be reused.
final class RowMemory: LayerMemory {
    let shape: RowMemoryShape
    private let layers: Int, slots: Int
    /// layers × slots × width.
    private let memory: AlignedMemory
    /// By layer, the pooled rows of the first complete groups.
    private var pooled: [[Float]]

    /// - Throws: ``InferenceError`` with `outOfMemory`.
    init(_ shape: RowMemoryShape, layers: Int, slots: Int) throws(InferenceError) {
        (self.shape, self.layers, self.slots) = (shape, layers, slots)
        memory = try AlignedMemory(
            bytes: layers, slots, shape.width, MemoryLayout<Float>.stride, for: "values of each token")
        pooled = Array(repeating: [], count: layers)
    }

    /// The rows of the first `count` slots from `slot` on.
    private func rows(_ count: Int, layer: Int, from slot: Int = 0) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            start: memory.floats + (layer * slots + slot) * shape.width, count: count * shape.width)
    }

    /// Writes the row of one slot.
    func store(_ row: some Collection<Float>, layer: Int, slot: Int) {
        _ = rows(1, layer: layer, from: slot).update(fromContentsOf: row)
    }

    /// The row of one slot.
    func row(layer: Int, slot: Int) -> [Float] { Array(rows(1, layer: layer, from: slot)) }

    /// The pooled rows of the first `count` groups, all of whose tokens belong to the past. `pool` computes that of one group; each is
    /// computed once.
    func pooledRows(_ count: Int, layer: Int, _ pool: (_ group: Int) -> [Float]) -> [Float] {
        while pooled[layer].count < count * shape.width {
            pooled[layer] += pool(pooled[layer].count / shape.width)
        }
        return pooled[layer]
    }

    func beginStep(uncertainRows count: Int) {}

    // Certain rows are a chain, whose slots are its positions.
    func endStep(_ layout: SegmentLayout, certainRows: Int) {}

    func keep(path: [Int], of layout: SegmentLayout, certainRows: Int) {
        for (depth, row) in path.enumerated() where depth != row {
            for layer in 0..<layers {
                store(
                    self.row(layer: layer, slot: layout.committed + row), layer: layer, slot: layout.committed + depth)
            }
        }
    }

    // Later steps overwrite the slots.
    func forget(from position: Int) {
        guard let length = shape.groupLength else { return }
        for layer in 0..<layers {
            pooled[layer].removeLast(max(0, pooled[layer].count - position / length * shape.width))
        }
    }

    func reusablePrefix(of length: Int) -> Int { length }

    private final class Snapshot: LayerSnapshot {
        let rows: [[Float]], pooled: [[Float]]
        init(rows: [[Float]], pooled: [[Float]]) { (self.rows, self.pooled) = (rows, pooled) }
        func reusablePrefix(of length: Int) -> Int { length }
        var byteCount: Int { (rows + pooled).reduce(0) { $0 + 4 * $1.count } }

        // Pooled rows are computed from the others again.
        func write(to sink: ByteSink) throws(InferenceError) {
            for rows in rows { try rows.withBytes(sink) }
        }
    }

    func snapshot(of count: Int) -> any LayerSnapshot {
        Snapshot(rows: (0..<layers).map { Array(rows(count, layer: $0)) }, pooled: pooled)
    }

    func readSnapshot(of count: Int, from source: inout ByteSource) throws(InferenceError) -> any LayerSnapshot {
        let rows = try (0..<layers).map { _ throws(InferenceError) in
            let bytes = try source.next(Int.product(4, count, shape.width))
            return (0..<count * shape.width).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        return Snapshot(rows: rows, pooled: Array(repeating: [], count: layers))
    }

    func restore(_ snapshot: any LayerSnapshot, count: Int) {
        let snapshot = unsafeDowncast(snapshot, to: Snapshot.self)
        pooled = snapshot.pooled
        forget(from: count)
        for (layer, rows) in snapshot.rows.enumerated() {
            _ = self.rows(count, layer: layer).update(fromContentsOf: rows.prefix(count * shape.width))
        }
    }

    var byteCount: Int { shape.byteCount(layers: layers, slots: slots) }
}

/// One sequence's rows in a step, and what the host keeps of the sequence's tokens.
struct RowSegment {
    /// The segment's rows are rows `firstRow ..< firstRow + layout.count` of the step's activations.
    let firstRow: Int
    let layout: SegmentLayout
    let memory: RowMemory
    /// The sequence's position encoding.
    let rotary: RotaryEmbedding?

    /// The slot of the token at `position` on the path to row `row`.
    func slot(of position: Int, onPathTo row: Int) -> Int {
        guard position >= layout.committed else { return position }
        return layout.committed + layout.ancestor(of: row, layout.position(of: row) - position)
    }
}
