// The key–value cache in the device's memory.

import GGUF
import Tensors

/// Keys and values of every layer and head, slot after slot; rows are padded with zeros to eights, and scales of eight-bit
/// values lie in buffers of their own.
final class VulkanKeyValueCache: KVCache, @unchecked Sendable {
    /// One of keys and values.
    struct Half {
        let elements: DeviceBuffer
        /// The scales; the same as `elements` in types without.
        let scales: DeviceBuffer
        /// Length of a slot's row, and that with its padding.
        let dimension: Int, padded: Int
        /// Bytes of all slots of a layer, and of their scales.
        let layerBytes: Int, layerScaleBytes: Int
        /// 16-bit units of a slot of one head.
        let units: Int, scaleUnits: Int
    }
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
        let padded = (dimension + 7) & ~7
        let bytes =
            switch shape.type {
            case .f32: 4 * padded
            case .f16: 2 * padded
            case .q8_0: padded
            }
        let scaleBytes = shape.type == .q8_0 ? 2 * (padded / 32) : 0
        func buffer(_ bytesOfSlot: Int) throws(InferenceError) -> DeviceBuffer {
            let (rows, isTooMany) = (shape.heads * shape.layers).multipliedReportingOverflow(by: shape.slots)
            let (count, isTooLarge) = rows.multipliedReportingOverflow(by: bytesOfSlot)
            guard !isTooMany, !isTooLarge else {
                throw InferenceError(.outOfMemory, "a cache of \(shape.slots) slots is too large to be addressed")
            }
            return try DeviceBuffer(count, on: queue, for: "a cache of \(shape.slots) slots")
        }
        let elements = try buffer(bytes)
        return Half(
            elements: elements, scales: scaleBytes > 0 ? try buffer(scaleBytes) : elements, dimension: dimension,
            padded: padded, layerBytes: shape.heads * shape.slots * bytes,
            layerScaleBytes: shape.heads * shape.slots * scaleBytes, units: bytes / 2, scaleUnits: scaleBytes / 2)
    }

    /// The buffers it is in.
    var buffers: [DeviceBuffer] {
        let all = [keys.elements, values.elements]
        return shape.type == .q8_0 ? all + [keys.scales, values.scales] : all
    }
}

extension VulkanKeyValueCache.Half {
    /// Where a layer begins.
    func address(layer: Int) -> UInt64 { elements.address + UInt64(layer * layerBytes) }

    /// Where a layer's scales begin.
    func scaleAddress(layer: Int) -> UInt64 { scales.address + UInt64(layer * layerScaleBytes) }
}
