// The CPU backend's key–value cache.

import GGUF

/// Keys and values, per layer and head contiguous from slot to slot.
package final class CPUKeyValueCache: KVCache, @unchecked Sendable {
    private let keyMemory: AlignedMemory
    private let valueMemory: AlignedMemory
    /// Bytes of one head's key and value.
    let keyBytes: Int, valueBytes: Int

    /// An empty cache of that shape.
    init(_ shape: KVCacheShape) throws(InferenceError) {
        keyBytes = try Self.bytes(shape.keyDimension, shape.type)
        valueBytes = try Self.bytes(shape.valueDimension, shape.type)
        keyMemory = try AlignedMemory(
            bytes: shape.layers, shape.heads, shape.slots, keyBytes, for: "the keys of \(shape.slots) tokens")
        valueMemory = try AlignedMemory(
            bytes: shape.layers, shape.heads, shape.slots, valueBytes, for: "the values of \(shape.slots) tokens")
        super.init(shape: shape)
    }

    private static func bytes(_ dimension: Int, _ type: KVCacheType) throws(InferenceError) -> Int {
        switch type {
        case .f32: return dimension * 4
        case .f16: return dimension * 2
        case .q8_0:
            guard dimension.isMultiple(of: 32) else {
                throw InferenceError(
                    .invalidArgument,
                    "a q8_0 cache needs head dimensions that are multiples of 32; this model's is \(dimension)")
            }
            return dimension / 32 * 34
        }
    }

    /// The key of a slot; the next slot's follows ``keyBytes`` later.
    func key(layer: Int, head: Int, slot: Int) -> UnsafeMutableRawPointer {
        keyMemory.base + ((layer * shape.heads + head) * shape.slots + slot) * keyBytes
    }

    /// The value of a slot; the next slot's follows ``valueBytes`` later.
    func value(layer: Int, head: Int, slot: Int) -> UnsafeMutableRawPointer {
        valueMemory.base + ((layer * shape.heads + head) * shape.slots + slot) * valueBytes
    }
}
