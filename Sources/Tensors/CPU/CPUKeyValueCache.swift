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
        try shape.requireWholeBlocks()
        panels = shape.slots / KeyPanel.keys + (shape.slots.isMultiple(of: KeyPanel.keys) ? 0 : 1)
        panelBytes = KeyPanel.byteCount(shape.keyDimension, shape.type)
        valueBytes = shape.type.byteCount(shape.valueDimension)
        keyMemory = try AlignedMemory(
            bytes: shape.layers, shape.heads, panels, panelBytes, for: "the keys of \(shape.slots) tokens")
        valueMemory = try AlignedMemory(
            bytes: shape.layers, shape.heads, shape.slots, valueBytes, for: "the values of \(shape.slots) tokens")
        super.init(shape: shape)
    }

    /// Keys, then values.
    var memories: [AlignedMemory] { [keyMemory, valueMemory] }

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

    /// Copies one head's keys and values in slots 0..<slots from another cache. Keys are copied in whole panels.
    func copy(layer: Int, head: Int, slots: Int, from source: CPUKeyValueCache) {
        let panels = (slots + KeyPanel.keys - 1) / KeyPanel.keys
        keyPanel(layer: layer, head: head, slot: 0)
            .copyMemory(from: source.keyPanel(layer: layer, head: head, slot: 0), byteCount: panels * panelBytes)
        value(layer: layer, head: head, slot: 0)
            .copyMemory(from: source.value(layer: layer, head: head, slot: 0), byteCount: slots * valueBytes)
    }
}

/// A panel of sixteen keys: f32 and f16 `[dimension][16]`; q8_0 for each 32 dimensions sixteen f16 scales, then
/// `[8][16][4]` values (`si_key_block_q8_0`).
enum KeyPanel {
    /// Keys of a panel.
    static let keys = 16
    /// Bytes of a q8_0 block of 32 dimensions.
    static let blockBytes = 16 * 34

    /// Bytes of a panel; for q8_0, `dimension` is a multiple of 32.
    static func byteCount(_ dimension: Int, _ type: KVCacheType) -> Int { keys * type.byteCount(dimension) }

    /// Where dimension d < 32 of key `lane` is in a q8_0 block.
    static func offset(of d: Int, _ lane: Int) -> Int { 32 + d / 4 * 64 + 4 * lane + d % 4 }

    /// Writes a Q8_0 block of the file format as key `lane` of a block of sixteen.
    static func setBlock(_ block: UnsafeMutableRawPointer, _ lane: Int, _ source: UnsafeRawPointer) {
        (block + 2 * lane).copyMemory(from: source, byteCount: 2)
        for d in stride(from: 0, to: 32, by: 4) {
            (block + offset(of: d, lane)).copyMemory(from: source + 2 + d, byteCount: 4)
        }
    }

    /// Copies key `from` of the panel `source` to key `to` of the panel `destination`.
    static func copy(
        _ dimension: Int, _ type: KVCacheType, from source: UnsafeRawPointer, _ from: Int,
        to destination: UnsafeMutableRawPointer, _ to: Int
    ) {
        switch type {
        case .f32, .f16:
            let size = type.byteCount(1)
            for d in 0..<dimension {
                (destination + (d * keys + to) * size)
                    .copyMemory(from: source + (d * keys + from) * size, byteCount: size)
            }
        case .q8_0:
            for start in stride(from: 0, to: dimension / 32 * blockBytes, by: blockBytes) {
                (destination + start + 2 * to).copyMemory(from: source + start + 2 * from, byteCount: 2)
                for d in stride(from: 0, to: 32, by: 4) {
                    (destination + start + offset(of: d, to))
                        .copyMemory(from: source + start + offset(of: d, from), byteCount: 4)
                }
            }
        }
    }
}

extension KVCacheType {
    /// Bytes of `count` values; for q8_0, `count` is a multiple of 32.
    func byteCount(_ count: Int) -> Int {
        switch self {
        case .f32: count * 4
        case .f16: count * 2
        case .q8_0: count / 32 * 34
        }
    }
}
