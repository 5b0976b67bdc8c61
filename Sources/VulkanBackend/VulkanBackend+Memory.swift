// Making the Vulkan backend's operands, and moving data in and out of them.

import CInferVulkanKernels
import InferGGUF
package import InferSupport
package import InferTensors
import Synchronization

extension VulkanBackend {
    /// Floats that ``write(_:to:)`` hands over at once.
    private static let writeCount = 1 << 18

    package func makeActivations(rows: Int, columns: Int) throws(InferenceError) -> Activations {
        let (count, isTooMany) = VulkanActivations.stride(columns).multipliedReportingOverflow(by: rows)
        guard !isTooMany, count < 1 << 40 else {
            throw InferenceError(.outOfMemory, "\(rows) × \(columns) activations cannot be addressed")
        }
        let buffer = try DeviceBuffer(4 * count, on: queue, for: "\(rows) × \(columns) activations")
        try scratch.withLock { scratch throws(InferenceError) in
            try scratch.reserveInputs(rows: rows, columns: columns, on: queue)
        }
        perform { () in queue.clear(buffer.memory) }
        return VulkanActivations(buffer, rows: rows, columns: columns)
    }

    package func makeCache(_ shape: KVCacheShape) throws(InferenceError) -> KVCache {
        let cache = try VulkanKeyValueCache(shape, on: queue)
        perform { () in for buffer in cache.buffers { queue.clear(buffer.memory) } }
        return cache
    }

    package func makeRouting(rows: Int, expertsUsed: Int) throws(InferenceError) -> ExpertRouting {
        VulkanExpertRouting(
            try DeviceBuffer(
                VulkanExpertRouting.byteCount(rows: rows, expertsUsed: expertsUsed), on: queue,
                for: "the routing of experts"), rows: rows, expertsUsed: expertsUsed)
    }

    package func write(_ values: [Float], to x: Activations) {
        let target = activations(x)
        let rowsAtOnce = max(1, Self.writeCount / target.columns)
        for start in stride(from: 0, to: values.count, by: rowsAtOnce * target.columns) {
            let part = Array(values[start..<min(start + rowsAtOnce * target.columns, values.count)])
            perform { () throws(InferenceError) in
                var offset = 0
                try part.withBytes { bytes throws(InferenceError) in offset = try queue.upload(bytes).offset }
                let pieces = target.pieces(
                    rows: start / target.columns..<(start + part.count) / target.columns, compactFrom: offset)
                let copies = pieces.map {
                    VkBufferCopy(srcOffset: UInt64($0.compact), dstOffset: UInt64($0.padded), size: UInt64($0.size))
                }
                queue.copyUpload(copies, to: target.buffer.memory, writes: [target.address])
            }
        }
    }

    package func read<R>(_ x: Activations, rows: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        let source = activations(x)
        let count = rows * source.columns
        let isThere = source.readBack.withLock {
            $0.rows >= rows && $0.operations == operations.load(ordering: .relaxed)
        }
        if !isThere, (try? copyBack([source], rows: rows)) == nil {
            // There is nothing to read from a device that failed; the next step reports it.
            let nothing = [Float](repeating: .nan, count: count)
            return nothing.withUnsafeBufferPointer(body)
        }
        let mapped = source.readBack.withLock { $0.buffer?.memory.mapped }
        return body(
            UnsafeBufferPointer(
                start: mapped.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) }, count: count))
    }

    /// Waits for all work so far and copies rows 0..<rows of each result to where the host reads them, without padding.
    func copyBack(_ results: [VulkanActivations], rows: Int) throws(InferenceError) {
        let targets = try results.map { x throws(InferenceError) in try readBackBuffer(of: x, rows: rows) }
        let number = operations.load(ordering: .relaxed)
        try queue.finish { () in
            for (x, target) in zip(results, targets) {
                let copies = x.pieces(rows: 0..<rows, compactFrom: 0).map {
                    VkBufferCopy(srcOffset: UInt64($0.padded), dstOffset: UInt64($0.compact), size: UInt64($0.size))
                }
                queue.copy(
                    copies, from: x.buffer.memory, to: target.memory, reads: [x.address], writes: [target.address])
            }
            return true
        }
        for (x, target) in zip(results, targets) {
            x.readBack.withLock { $0 = ReadBack(buffer: target, rows: rows, operations: number) }
            countReadBack(4 * rows * x.columns)
        }
    }

    /// Where the host reads the first rows of `x`.
    private func readBackBuffer(of x: VulkanActivations, rows: Int) throws(InferenceError) -> DeviceBuffer {
        let byteCount = 4 * rows * x.columns
        if let buffer = x.readBack.withLock({ $0.buffer }), buffer.memory.byteCount >= byteCount { return buffer }
        return try DeviceBuffer(byteCount, .readBack, on: queue, for: "what is read back")
    }

    package func gather(_ x: Activations, rows indices: [Int], into y: Activations) {
        let (source, target) = (activations(x), activations(y))
        let fours = source.stride / 4
        perform { () throws(InferenceError) in
            let list = try queue.upload(indices.map { Int32(truncatingIfNeeded: $0) })
            try queue.dispatch(
                Shader(SI_SHADER_gather), PushConstants([source.address, target.address, list], [fours]),
                groups: ((fours + 63) / 64, indices.count, 1), reads: [source.address], writes: [target.address])
        }
    }
}

extension VulkanActivations {
    /// Byte offsets of some rows in the buffer and where they lie one after the other from `start` on.
    fileprivate func pieces(
        rows: Range<Int>, compactFrom start: Int
    ) -> [(padded: Int, compact: Int, size: Int)] {
        if stride == columns { return [(4 * rows.lowerBound * columns, start, 4 * rows.count * columns)] }
        return rows.enumerated().map { (4 * $1 * stride, start + 4 * $0 * columns, 4 * columns) }
    }
}
