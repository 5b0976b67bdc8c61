// The key–value cache in the device's memory.

import CInferVulkanKernels
import InferGGUF
import InferSupport
import InferTensors

/// Keys and values of every layer and head, slot after slot. Rows are padded with zeros to a multiple of eight elements. The
/// scales of eight-bit elements lie in separate buffers.
final class VulkanKeyValueCache: KVCache, @unchecked Sendable {
    /// Keys, or values, of consecutive layers.
    fileprivate struct Part {
        let elements: DeviceBuffer
        /// The scales; `elements` again in types without scales.
        let scales: DeviceBuffer
        let layers: Int
    }

    /// All keys, or all values.
    struct Half {
        let row: CacheRowLayout
        fileprivate let parts: [Part]
        fileprivate let layersOfPart: Int, layerBytes: Int, layerScaleBytes: Int

        /// The keys or values of one layer.
        subscript(layer: Int) -> CacheLayer {
            let part = parts[layer / layersOfPart], index = UInt64(layer % layersOfPart)
            return CacheLayer(
                row: row, buffer: part.elements.address,
                address: part.elements.address + index * UInt64(layerBytes),
                scaleAddress: part.scales.address + index * UInt64(layerScaleBytes))
        }

        /// Layers that lie one after the other: the first one, and their number.
        var runs: [(first: CacheLayer, count: Int)] {
            parts.indices.map { (self[$0 * layersOfPart], parts[$0].layers) }
        }
    }

    /// Most bytes of a buffer with several layers: every device allows allocations of this size.
    private static let partBytes = 1 << 30

    let keys: Half
    let values: Half

    init(_ shape: KVCacheShape, on queue: CommandQueue) throws(InferenceError) {
        keys = try Self.makeHalf(shape, dimension: shape.keyDimension, on: queue)
        values = try Self.makeHalf(shape, dimension: shape.valueDimension, on: queue)
        super.init(shape: shape)
    }

    private static func makeHalf(
        _ shape: KVCacheShape, dimension: Int, on queue: CommandQueue
    ) throws(InferenceError) -> Half {
        let row = CacheRowLayout(shape.type, dimension: dimension)
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

    /// Records the copy of slots 0..<count from another cache of the same layers, heads and type.
    func copySlots(_ count: Int, from source: VulkanKeyValueCache, on queue: CommandQueue) {
        for (from, to) in [(source.keys, keys), (source.values, values)] {
            for layer in 0..<shape.layers {
                let old = from.parts[layer / from.layersOfPart], new = to.parts[layer / to.layersOfPart]
                func pieces(_ rowBytes: Int) -> [VkBufferCopy] {
                    (0..<shape.heads).map { head in
                        let start = { (layersOfPart: Int, slots: Int) in
                            UInt64((layer % layersOfPart * self.shape.heads + head) * slots * rowBytes)
                        }
                        return VkBufferCopy(
                            srcOffset: start(from.layersOfPart, source.shape.slots),
                            dstOffset: start(to.layersOfPart, shape.slots), size: UInt64(count * rowBytes))
                    }
                }
                queue.copy(pieces(from.row.byteCount), from: old.elements, to: new.elements)
                if from.row.scaleByteCount > 0 {
                    queue.copy(pieces(from.row.scaleByteCount), from: old.scales, to: new.scales)
                }
            }
        }
    }

    /// Bytes of the keys and values of a cache of that shape; `.max` if they overflow.
    static func byteCount(of shape: KVCacheShape) -> Int {
        let bytes = [shape.keyDimension, shape.valueDimension].map {
            let row = CacheRowLayout(shape.type, dimension: $0)
            return Int.product(shape.layers, shape.heads, shape.slots, row.byteCount + row.scaleByteCount)
        }
        return Int.sum(bytes)
    }

    /// All buffers.
    var buffers: [DeviceBuffer] {
        (keys.parts + values.parts).flatMap { $0.scales === $0.elements ? [$0.elements] : [$0.elements, $0.scales] }
    }
}
