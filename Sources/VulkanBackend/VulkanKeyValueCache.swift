// The key–value cache in the device's memory.

import InferGGUF
import InferSupport
import InferTensors

/// Keys and values of every layer and head, slot after slot; rows are padded with zeros to eights, and scales of eight-bit
/// values lie in buffers of their own.
final class VulkanKeyValueCache: KVCache, @unchecked Sendable {
    /// How one head's key or value lies in a slot.
    struct RowLayout {
        /// Its length, and that with its padding.
        let dimension: Int, padded: Int
        /// Bytes of it, and of its scales.
        let byteCount: Int, scaleByteCount: Int

        init(_ type: KVCacheType, dimension: Int) {
            self.dimension = dimension
            padded = (dimension + 7) & ~7
            byteCount =
                switch type {
                case .f32: 4 * padded
                case .f16: 2 * padded
                case .q8_0: padded
                }
            scaleByteCount = type == .q8_0 ? 2 * (padded / 32) : 0
        }
    }

    /// Keys or values of one layer.
    struct Layer {
        /// The buffer they are in, by its address, as the order of commands goes by it.
        let buffer: UInt64
        let address: UInt64, scaleAddress: UInt64
    }

    /// Keys, or values, of some layers.
    fileprivate struct Part {
        let elements: DeviceBuffer
        /// The scales; the same as `elements` in types without.
        let scales: DeviceBuffer
        let layers: Int
    }

    /// One of keys and values.
    struct Half {
        let row: RowLayout
        fileprivate let parts: [Part]
        fileprivate let layersOfPart: Int, layerBytes: Int, layerScaleBytes: Int
    }

    /// Bytes of a buffer beyond which it holds no further layer: what every device allows to be allocated at once.
    private static let partBytes = 1 << 30

    let keys: Half
    let values: Half
    /// The type as shaders number it.
    let element: UInt32

    init(_ shape: KVCacheShape, on queue: CommandQueue) throws(InferenceError) {
        element =
            switch shape.type {
            case .f32: 0
            case .f16: 1
            case .q8_0: 3
            }
        keys = try Self.makeHalf(shape, dimension: shape.keyDimension, on: queue)
        values = try Self.makeHalf(shape, dimension: shape.valueDimension, on: queue)
        super.init(shape: shape)
    }

    private static func makeHalf(
        _ shape: KVCacheShape, dimension: Int, on queue: CommandQueue
    ) throws(InferenceError) -> Half {
        let row = RowLayout(shape.type, dimension: dimension)
        let layerBytes = Int.product(shape.heads, shape.slots, row.byteCount)
        guard Int.product(max(1, shape.layers), layerBytes) < .max else {
            throw InferenceError(.outOfMemory, "a cache of \(shape.slots) slots is too large to be addressed")
        }
        let scaleBytes = shape.heads * shape.slots * row.scaleByteCount
        let layersOfPart = max(1, partBytes / max(1, layerBytes))
        var parts: [Part] = []
        for first in stride(from: 0, to: shape.layers, by: layersOfPart) {
            let layers = min(layersOfPart, shape.layers - first), purpose = "a cache of \(shape.slots) slots"
            let elements = try DeviceBuffer(layers * layerBytes, on: queue, for: purpose)
            let scales = scaleBytes > 0 ? try DeviceBuffer(layers * scaleBytes, on: queue, for: purpose) : elements
            parts.append(Part(elements: elements, scales: scales, layers: layers))
        }
        return Half(
            row: row, parts: parts, layersOfPart: layersOfPart, layerBytes: layerBytes, layerScaleBytes: scaleBytes)
    }

    /// The buffers it is in.
    var buffers: [DeviceBuffer] {
        (keys.parts + values.parts).flatMap { $0.scales === $0.elements ? [$0.elements] : [$0.elements, $0.scales] }
    }
}

extension VulkanKeyValueCache.Half {
    /// Where a layer is.
    subscript(layer: Int) -> VulkanKeyValueCache.Layer {
        let part = parts[layer / layersOfPart], index = UInt64(layer % layersOfPart)
        return VulkanKeyValueCache.Layer(
            buffer: part.elements.address, address: part.elements.address + index * UInt64(layerBytes),
            scaleAddress: part.scales.address + index * UInt64(layerScaleBytes))
    }

    /// Runs of layers that lie one after the other, and how many they are.
    var runs: [(first: VulkanKeyValueCache.Layer, count: Int)] {
        parts.indices.map { (self[$0 * layersOfPart], parts[$0].layers) }
    }
}
