// Memory of the device in files: what a sequence keeps, written and read back.

import CInferVulkanKernels
package import InferSupport
package import InferTensors

extension VulkanBackend {
    package func write(_ cache: KVCache, to sink: ByteSink) throws(InferenceError) {
        for buffer in unsafeDowncast(cache, to: VulkanKeyValueCache.self).buffers {
            try write(buffer, 0..<buffer.memory.byteCount, to: sink)
        }
    }

    package func read(_ cache: KVCache, from source: inout ByteSource) throws(InferenceError) {
        for buffer in unsafeDowncast(cache, to: VulkanKeyValueCache.self).buffers {
            try read(buffer, 0..<buffer.memory.byteCount, from: &source)
        }
    }

    /// Writes a range of a buffer's bytes to a file.
    func write(_ buffer: DeviceBuffer, _ range: Range<Int>, to sink: ByteSink) throws(InferenceError) {
        let size = min(range.count, CommandQueue.uploadLimit)
        guard size > 0 else { return }
        let copy = try DeviceBuffer(size, .readBack, on: queue, for: "what is read back")
        for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
            let count = min(size, range.upperBound - start)
            try queue.finish { () in
                let piece = VkBufferCopy(srcOffset: UInt64(start), dstOffset: 0, size: UInt64(count))
                queue.copy([piece], from: buffer, to: copy)
                return true
            }
            try sink(UnsafeRawBufferPointer(start: copy.memory.mapped, count: count))
        }
    }

    /// Reads a range of a buffer's bytes from a file.
    func read(
        _ buffer: DeviceBuffer, _ range: Range<Int>, from source: inout ByteSource
    ) throws(InferenceError) {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: CommandQueue.uploadLimit) {
            let bytes = try source.next(min(CommandQueue.uploadLimit, range.upperBound - start))
            perform { () throws(InferenceError) in
                let offset = try queue.upload(bytes).offset
                let piece = VkBufferCopy(
                    srcOffset: UInt64(offset), dstOffset: UInt64(start), size: UInt64(bytes.count))
                queue.copyUpload([piece], to: buffer.memory, writes: buffer.address)
            }
        }
    }
}
