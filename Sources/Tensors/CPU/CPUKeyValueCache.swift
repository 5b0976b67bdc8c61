// The CPU backend's key–value cache.

import InferGGUF
import InferSupport

/// Per layer and head, keys in panels of sixteen slots and values contiguous from slot to slot.
package final class CPUKeyValueCache: KVCache, @unchecked Sendable {
    private let keyMemory: AlignedMemory
    private let valueMemory: AlignedMemory
    /// Panels of keys of one head.
    private let panels: Int
    /// Bytes of a panel of keys and of one head's value.
    let panelBytes: Int, valueBytes: Int

    /// An empty cache of that shape.
    init(_ shape: KVCacheShape) throws(InferenceError) {
        if shape.type == .q8_0 {
            for dimension in [shape.keyDimension, shape.valueDimension] where !dimension.isMultiple(of: 32) {
                throw InferenceError(
                    .invalidArgument,
                    "a q8_0 cache needs head dimensions that are multiples of 32; this model's is \(dimension)")
            }
        }
        panels = shape.slots / KeyPanel.keys + (shape.slots.isMultiple(of: KeyPanel.keys) ? 0 : 1)
        panelBytes = KeyPanel.byteCount(shape.keyDimension, shape.type)
        valueBytes = shape.type.byteCount(shape.valueDimension)
        keyMemory = try AlignedMemory(
            bytes: shape.layers, shape.heads, panels, panelBytes, for: "the keys of \(shape.slots) tokens")
        valueMemory = try AlignedMemory(
            bytes: shape.layers, shape.heads, shape.slots, valueBytes, for: "the values of \(shape.slots) tokens")
        super.init(shape: shape)
    }

    /// The panel that holds a slot's key, as its key number `slot` mod 16; the next panel follows ``panelBytes`` later.
    func keyPanel(layer: Int, head: Int, slot: Int) -> UnsafeMutableRawPointer {
        keyMemory.base + ((layer * shape.heads + head) * panels + slot / KeyPanel.keys) * panelBytes
    }

    /// The value of a slot; the next slot's follows ``valueBytes`` later.
    func value(layer: Int, head: Int, slot: Int) -> UnsafeMutableRawPointer {
        valueMemory.base + ((layer * shape.heads + head) * shape.slots + slot) * valueBytes
    }

    /// Copies one head's key and value from slot to slot.
    func copy(layer: Int, head: Int, from: Int, to: Int) {
        KeyPanel.copy(
            shape.keyDimension, shape.type, from: keyPanel(layer: layer, head: head, slot: from), from % KeyPanel.keys,
            to: keyPanel(layer: layer, head: head, slot: to), to % KeyPanel.keys)
        value(layer: layer, head: head, slot: to)
            .copyMemory(from: value(layer: layer, head: head, slot: from), byteCount: valueBytes)
    }
}
