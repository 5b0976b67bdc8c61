// The keys and values of the tokens seen so far.

package import InferSupport

/// How cached keys and values are stored.
public enum KVCacheType: String, Sendable, CaseIterable, Codable {
    /// 32-bit floats.
    case f32
    /// 16-bit floats; the default.
    case f16
    /// Blocks of 32 eight-bit integers with one f16 scale; head dimensions must be multiples of 32.
    case q8_0
}

/// Size and type of a cache.
package struct KVCacheShape: Sendable, Equatable {
    /// Layers of the model.
    package var layers: Int
    /// Key–value heads of a layer.
    package var heads: Int
    /// Length of one head's key.
    package var keyDimension: Int
    /// Length of one head's value.
    package var valueDimension: Int
    /// Tokens it can hold, a step's rejected ones included.
    package var slots: Int
    /// Element type.
    package var type: KVCacheType

    /// The shape of a cache.
    package init(layers: Int, heads: Int, keyDimension: Int, valueDimension: Int, slots: Int, type: KVCacheType) {
        self.layers = layers
        self.heads = heads
        self.keyDimension = keyDimension
        self.valueDimension = valueDimension
        self.slots = slots
        self.type = type
    }

    /// - Throws: `invalidArgument` for a type whose blocks the heads do not fill.
    package func requireWholeBlocks() throws(InferenceError) {
        guard type == .q8_0 else { return }
        for dimension in [keyDimension, valueDimension] where !dimension.isMultiple(of: 32) {
            throw InferenceError(
                .invalidArgument, "a q8_0 cache needs heads in multiples of 32; this model's have \(dimension)")
        }
    }

    /// Memory the cache takes.
    package var byteCount: Int {
        type.byteCount(layers * heads * (keyDimension + valueDimension) * slots)
    }
}

/// Keys, rotated at their logical position, and values of every layer, one slot per token. Each backend subclasses it; the owner
/// tracks which slots are in use.
open class KVCache: @unchecked Sendable {
    /// Size and type.
    package let shape: KVCacheShape

    /// A handle of that shape.
    package init(shape: KVCacheShape) { self.shape = shape }
}
