// Memory that operations use and leave behind.

import GGUF
import Tensors

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
        let bytes = Self.inputByteCount(rows: rows, columns: columns)
        if bytes > inputs.memory.byteCount {
            inputs = try DeviceBuffer(bytes, on: queue, for: "inputs of products")
        }
    }

    /// Makes room for `count` queries with `stride` scores each.
    mutating func reserveScores(_ count: Int, stride: Int, on queue: CommandQueue) throws(InferenceError) {
        let bytes = 4 * count * stride
        if bytes > scores.memory.byteCount {
            // Contexts grow by a token at a time; room for twice as much is room for long.
            scores = try DeviceBuffer(
                max(bytes, min(2 * bytes, Self.scoreBytes)), on: queue, for: "attention's scores")
        }
        if 4 * count > inverses.memory.byteCount {
            inverses = try DeviceBuffer(8 * count, on: queue, for: "attention's sums")
        }
    }

    /// Bytes of scores that one round of attention may take, unless a single row takes more.
    static let scoreBytes = 64 << 20
    /// Bytes of 32 inputs: the quanta and what belongs to them.
    private static let groupBytes = 48

    /// Bytes of `rows` rows of `columns` inputs.
    static func inputByteCount(rows: Int, columns: Int) -> Int {
        Int.product(rows, (columns + 31) / 32, groupBytes)
    }
}
