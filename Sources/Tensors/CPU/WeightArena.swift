// Memory for packed weights.

import InferSupport

/// Hands out memory for packed weights from large pieces, so that matrices smaller than a huge page share them. A piece
/// lives as long as any matrix in it; the weights of one model are loaded in a row and so fill pieces of their own.
struct WeightArena {
    /// Bytes of a piece. Pages that nothing is written to take up no memory.
    private static let pieceBytes = 64 << 20

    private var piece: AlignedMemory?
    private var used = 0

    /// Memory of `byteCount` bytes on a cache line's boundary, zeroed, and what keeps it alive.
    mutating func allocate(
        _ byteCount: Int, for purpose: String
    ) throws(InferenceError) -> (base: UnsafeMutableRawPointer, owner: AlignedMemory) {
        let start = (used + 63) & ~63
        if let piece, byteCount <= piece.byteCount - start {
            used = start + byteCount
            return (piece.base + start, piece)
        }
        let fresh = try AlignedMemory(bytes: max(byteCount, Self.pieceBytes), for: purpose)
        fresh.useHugePages()
        // A matrix with a piece of its own leaves the piece for small ones open.
        if byteCount < Self.pieceBytes / 2 {
            piece = fresh
            used = byteCount
        }
        return (fresh.base, fresh)
    }
}
