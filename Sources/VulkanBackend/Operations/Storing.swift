// Writing keys and values to the cache.

import CInferVulkanKernels
import InferGGUF
import InferSupport
import InferTensors

/// A step's keys and values that go to one layer's slots. Keys may be rotated on the way, and queries beside them.
struct Storing {
    /// Rows of keys, or of values, and where they go.
    struct Half {
        let source: DeviceRows
        let layer: VulkanKeyValueCache.Layer
        let row: VulkanKeyValueCache.RowLayout
    }

    private let keys: Half, values: Half
    /// Rows of the keys and values.
    private let rows: Range<Int>
    /// Where the first of them goes.
    private let firstSlot: Int
    private let shape: KVCacheShape
    /// The cache's type as shaders number it.
    private let element: UInt32
    private var rotations: Rotations?

    init(
        _ keys: DeviceRows, _ values: DeviceRows, _ rows: Range<Int>, in cache: VulkanKeyValueCache, layer: Int,
        firstSlot: Int
    ) {
        self.keys = Half(source: keys, layer: cache.keys[layer], row: cache.keys.row)
        self.values = Half(source: values, layer: cache.values[layer], row: cache.values.row)
        (self.rows, self.firstSlot, shape, element) = (rows, firstSlot, cache.shape, cache.element)
    }

    /// With the rotations before it, the last of which is of these keys; nil where it is not, or where other segments' rows are
    /// rotated, too. A block of eight-bit integers needs
    /// the pairs of others to be rotated.
    func rotating(_ rotations: Rotations) -> Self? {
        guard element != 3, rotations.targets.last?.address == keys.source.address, rows == 0..<rotations.rows,
            rotations.headDimension == shape.keyDimension
        else { return nil }
        var joined = self
        joined.rotations = rotations
        return joined
    }

    func record(on queue: CommandQueue) throws(InferenceError) {
        let targets = rotations?.targets ?? [], queries = targets.count > 1 ? targets.first : nil
        let pairs = rotations?.pairs ?? 0
        let queryHeads = queries.flatMap { rotations?.heads(of: $0) } ?? 0
        let queryGroups = queries.flatMap { rotations?.groups(of: $0) } ?? 0
        let keyGroups = groups(keys.row, pairs: pairs)
        try queue.dispatch(
            Shader(SI_SHADER_store, [element, rotations.map { $0.pairing == .halves ? 2 : 1 } ?? 0]),
            PushConstants(
                [
                    queries?.address ?? 0, keys.source.address(ofRow: rows.lowerBound),
                    values.source.address(ofRow: rows.lowerBound), rotations?.angles.address ?? 0,
                    keys.layer.address, keys.layer.scaleAddress, values.layer.address, values.layer.scaleAddress,
                ],
                [
                    pairs, rotations?.angles.stride ?? 0, queryHeads, queries?.stride ?? 0, shape.heads, shape.slots,
                    firstSlot, keys.row.dimension, keys.row.padded, keys.source.stride, values.row.dimension,
                    values.row.padded, values.source.stride, queryGroups, keyGroups,
                ]),
            groups: (queryGroups + keyGroups + groups(values.row, pairs: 0), rows.count, 1),
            reads: [keys.source.address, values.source.address] + (rotations.map { [$0.angles.address] } ?? []),
            writes: [keys.layer.buffer, values.layer.buffer] + targets.map(\.address))
    }

    /// Workgroups for a row, of whose heads `pairs` pairs are one piece each.
    private func groups(_ row: VulkanKeyValueCache.RowLayout, pairs: Int) -> Int {
        let pieces = (element == 3 ? row.dimension / 32 : row.dimension) - pairs
        return (pieces * shape.heads + 63) / 64
    }
}
