// Device memory for weights.

import GGUF

/// Hands out memory for weights from large pieces, since a device allows few allocations. A piece lives as long as any weight
/// in it.
struct WeightArena {
    /// Bytes of a piece.
    private static let pieceBytes = 64 << 20
    /// What every address is a multiple of.
    static let alignment = 256

    private var piece: DeviceBuffer?
    private var used = 0

    /// A place of `byteCount` bytes in a buffer.
    mutating func allocate(
        _ byteCount: Int, on queue: CommandQueue, for purpose: String
    ) throws(InferenceError) -> (buffer: DeviceBuffer, offset: Int) {
        let start = (used + Self.alignment - 1) & ~(Self.alignment - 1)
        if let piece, byteCount <= piece.memory.byteCount - start {
            used = start + byteCount
            return (piece, start)
        }
        if byteCount >= Self.pieceBytes / 2 {
            return (try DeviceBuffer(byteCount, on: queue, for: purpose), 0)
        }
        let fresh = try DeviceBuffer(Self.pieceBytes, on: queue, for: purpose)
        piece = fresh
        used = byteCount
        return (fresh, 0)
    }
}
