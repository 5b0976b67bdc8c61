// Memory that operations use and leave behind.

import InferSupport
import InferTensors

/// Buffers that grow to what the largest operation needs; whoever replaces one may have work recorded that uses the old one,
/// which lives until that is done.
struct VulkanScratch {
    /// Inputs of products, rounded to eight bits.
    private(set) var inputs: DeviceBuffer
    /// What attention works in.
    private var attention: DeviceBuffer

    init(on queue: CommandQueue) throws(InferenceError) {
        inputs = try DeviceBuffer(1 << 16, on: queue, for: "inputs of products")
        attention = try DeviceBuffer(1 << 16, on: queue, for: "attention")
    }

    /// Makes room for `rows` rows of `columns` values as inputs of products.
    mutating func reserveInputs(rows: Int, columns: Int, on queue: CommandQueue) throws(InferenceError) {
        let bytes = Self.inputByteCount(rows: rows, columns: columns)
        if bytes > inputs.memory.byteCount {
            inputs = try DeviceBuffer(bytes, on: queue, for: "inputs of products")
        }
    }

    /// Memory with room for `work`.
    mutating func reserveAttention(_ work: AttentionWork, on queue: CommandQueue) throws(InferenceError) -> DeviceBuffer
    {
        let bytes = work.byteCount
        if bytes > attention.memory.byteCount {
            // Contexts grow by a token at a time; room for twice as much is room for long.
            attention = try DeviceBuffer(
                max(bytes, min(2 * bytes, AttentionWork.largestByteCount)), on: queue, for: "attention")
        }
        return attention
    }

    /// Bytes of 32 inputs: the quanta and what belongs to them.
    private static let groupBytes = 48

    /// Bytes of `rows` rows of `columns` inputs.
    static func inputByteCount(rows: Int, columns: Int) -> Int {
        Int.product(rows, (columns + 31) / 32, groupBytes)
    }
}
