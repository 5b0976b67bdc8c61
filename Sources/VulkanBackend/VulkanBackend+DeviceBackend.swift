// What the Vulkan backend takes of its device's memory.

import CInferVulkanKernels
package import InferGGUF
package import InferSupport
package import InferTensors

extension VulkanBackend: DeviceBackend {
    /// What is left to the driver, to other programs and to rounding: at most this much, and at most an eighth of all.
    private static let reserve = 256 << 20

    package var availableByteCount: Int {
        let free = queue.availableByteCount
        return max(0, free - min(Self.reserve, free / 8))
    }

    package func byteCount(ofWeights tensors: [TensorInfo]) -> Int {
        WeightArena.byteCount(
            ofAll: tensors.map { tensor in
                if tensor.shape.count == 1 || tensor.name.hasSuffix(".bias") { return 4 * tensor.elementCount }
                guard let layout = PlaneLayout(tensor.type) else {
                    return tensor.rows * 8 * ((tensor.columns + 7) / 8) * (tensor.type == .f32 ? 4 : 2)
                }
                return PlaneOffsets(layout, groups: tensor.elementCount / 32).byteCount
            })
    }

    package func byteCount(of shape: KVCacheShape) -> Int {
        let bytes = [shape.keyDimension, shape.valueDimension].map {
            let row = VulkanKeyValueCache.RowLayout(shape.type, dimension: $0)
            return Int.product(shape.layers, shape.heads, shape.slots, row.byteCount + row.scaleByteCount)
        }
        return Int.sum(bytes)
    }

    package func byteCount(ofActivations shapes: [(rows: Int, columns: Int)]) -> Int {
        let buffers = shapes.map { Int.product(4, $0.rows, VulkanActivations.stride($0.columns)) }
        let inputs = shapes.map { VulkanScratch.inputByteCount(rows: $0.rows, columns: $0.columns) }
        return Int.sum(buffers + [inputs.max() ?? 0])
    }

    package var commandCounts: DeviceCommandCounts { queue.commandCounts }

    package func copyRate() throws(InferenceError) -> Double {
        let size = min(256 << 20, availableByteCount / 4) & ~15, copies = 8
        let source = try DeviceBuffer(size, on: queue, for: "a copy")
        let target = try DeviceBuffer(size, on: queue, for: "a copy")
        func copy() throws(InferenceError) {
            let whole = VkBufferCopy(srcOffset: 0, dstOffset: 0, size: UInt64(size))
            perform { () in
                for _ in 0..<copies {
                    queue.copy(
                        [whole], from: source.memory, to: target.memory, reads: [source.address],
                        writes: [target.address])
                }
            }
            try queue.finish { () in true }
        }
        perform { () in queue.clear(source.memory) }
        try copy()
        let start = ContinuousClock.now
        try copy()
        return Double(2 * copies * size) / ((ContinuousClock.now - start) / .seconds(1))
    }

    package func byteCount(
        ofAttentionRows rows: Int, heads: Int, valueDimension: Int, context: Int
    ) -> Int {
        let row = AttentionWork.byteCount(heads: heads, visible: context, valueDimension: valueDimension)
        let most = max(row, min(Int.product(2, rows, row), AttentionWork.largestByteCount))
        // Twice, since where it grows, what there was before is still in use.
        return Int.product(2, most)
    }
}
