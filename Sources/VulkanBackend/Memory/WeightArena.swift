// Device memory for weights.

import InferSupport

/// Hands out memory for weights: small ones from pieces that they share, since a device allows few allocations. A piece lives as
/// long as any weight in it.
struct WeightArena {
    /// Bytes of a piece, and from how many on a weight has an allocation of its own.
    private static let pieceBytes = 16 << 20, largeBytes = 4 << 20
    /// What every address is a multiple of.
    static let alignment = 256

    private var piece: DeviceBuffer?
    private var used = 0

    /// A place of `byteCount` bytes in a buffer.
    mutating func allocate(
        _ byteCount: Int, on queue: CommandQueue, for purpose: String
    ) throws(InferenceError) -> (buffer: DeviceBuffer, offset: Int) {
        if byteCount >= Self.largeBytes { return (try DeviceBuffer(byteCount, on: queue, for: purpose), 0) }
        if let piece, let start = Self.start(of: byteCount, after: used) {
            used = start + byteCount
            return (piece, start)
        }
        let fresh = try DeviceBuffer(Self.pieceBytes, on: queue, for: purpose)
        piece = fresh
        used = byteCount
        return (fresh, 0)
    }

    /// Where `byteCount` bytes begin in a piece of which `used` are taken; nil where there is no room.
    private static func start(of byteCount: Int, after used: Int) -> Int? {
        let start = (used + alignment - 1) & ~(alignment - 1)
        return byteCount <= pieceBytes - start ? start : nil
    }

    /// Bytes of all buffers that weights of these sizes, in that order, are in.
    static func byteCount(ofAll sizes: [Int]) -> Int {
        var used = pieceBytes
        return sizes.reduce(0) { total, size in
            if size >= largeBytes { return total + size }
            let start = start(of: size, after: used)
            used = (start ?? 0) + size
            return start == nil ? total + pieceBytes : total
        }
    }
}
