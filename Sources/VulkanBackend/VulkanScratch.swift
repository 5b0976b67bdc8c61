// Memory that operations use and leave behind.

import GGUF

/// Buffers that grow to what the largest operation needs; whoever replaces one may have work recorded that uses the old one,
/// which lives until that is done.
struct VulkanScratch {
    /// Inputs of products, rounded to eight bits.
    private(set) var inputs: DeviceBuffer
    /// Attention's scores, and one over their sums.
    private(set) var scores: DeviceBuffer
    private(set) var inverses: DeviceBuffer

    init(on queue: CommandQueue) throws(InferenceError) {
        inputs = try DeviceBuffer(1 << 16, on: queue, for: "inputs of products")
        scores = try DeviceBuffer(1 << 16, on: queue, for: "attention's scores")
        inverses = try DeviceBuffer(1 << 12, on: queue, for: "attention's sums")
    }

    /// Makes room for `rows` rows of `columns` values as inputs of products.
    mutating func reserveInputs(rows: Int, columns: Int, on queue: CommandQueue) throws(InferenceError) {
        let bytes = rows * ((columns + 31) / 32) * Self.groupBytes
        if bytes > inputs.memory.byteCount {
            inputs = try DeviceBuffer(bytes, on: queue, for: "inputs of products")
        }
    }

    /// Makes room for `count` queries with `stride` scores each.
    mutating func reserveScores(_ count: Int, stride: Int, on queue: CommandQueue) throws(InferenceError) {
        if 4 * count * stride > scores.memory.byteCount {
            // Contexts grow by a token at a time; room for twice as much is room for long.
            scores = try DeviceBuffer(8 * count * stride, on: queue, for: "attention's scores")
        }
        if 4 * count > inverses.memory.byteCount {
            inverses = try DeviceBuffer(8 * count, on: queue, for: "attention's sums")
        }
    }

    /// Bytes of 32 inputs: the quanta and what belongs to them.
    static let groupBytes = 48
}
