// Memory of the CPU backend: zeroed and page-aligned, and the arena that packed weights share.

package import InferSupport

/// Zeroed, page-aligned memory. Pages take up memory only after the first access; all of it is freed with the object.
///
/// Sendable like a plain block of bytes: the users of shared memory must order their reads and writes.
package final class AlignedMemory: @unchecked Sendable {
    /// The first byte.
    package let base: UnsafeMutableRawPointer
    /// Size in bytes.
    package let byteCount: Int

    /// Allocates as many bytes as the product of `extents`; the error message names `purpose`.
    ///
    /// - Throws: ``InferenceError`` with `outOfMemory`.
    package init(bytes extents: Int..., for purpose: String) throws(InferenceError) {
        var size = 1
        for extent in extents {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard !overflow, product >= 0 else {
                throw InferenceError(.outOfMemory, "\(purpose) would need more memory than can be addressed")
            }
            size = product
        }
        byteCount = max(size, 1)
        let address = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | Self.anonymous, -1, 0)
        guard let address, address != MAP_FAILED else {
            throw InferenceError(.outOfMemory, "cannot allocate \(byteCount) bytes for \(purpose)")
        }
        base = address
    }

    /// Asks for huge pages, which reduce TLB misses of long streams and page faults of the first writes.
    package func useHugePages() {
        #if canImport(Glibc) || canImport(Musl)
        madvise(base, byteCount, MADV_HUGEPAGE)
        #endif
    }

    deinit { munmap(base, byteCount) }

    /// The memory as f32 values.
    package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }

    /// Writes all of it to a file.
    package func write(to sink: ByteSink) throws(InferenceError) {
        try sink(UnsafeRawBufferPointer(start: base, count: byteCount))
    }

    /// Reads all of it from a file.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` if there are too few bytes.
    package func read(from source: inout ByteSource) throws(InferenceError) {
        let bytes = try source.next(byteCount)
        if let start = bytes.baseAddress { base.copyMemory(from: start, byteCount: byteCount) }
    }

    #if canImport(Darwin)
    private static let anonymous = MAP_ANON
    #else
    private static let anonymous = MAP_ANONYMOUS
    #endif
}

/// Allocates memory for packed weights from large pieces, so that matrices smaller than a huge page share one. A piece
/// lives as long as any matrix in it. The weights of a model are loaded one after the other, so models rarely share a
/// piece.
struct WeightArena {
    /// Bytes of a piece. Pages without a write take up no memory.
    private static let pieceBytes = 64 << 20

    private var piece: AlignedMemory?
    private var used = 0
    /// The bytes of all weights so far, also of those elsewhere.
    private(set) var byteCount = 0

    /// Counts weights that have memory of their own.
    mutating func count(_ memory: AlignedMemory) { byteCount += memory.byteCount }

    /// Allocates `byteCount` zeroed bytes at a multiple of 64; `owner` keeps them alive.
    ///
    /// - Throws: ``InferenceError`` with `outOfMemory`.
    mutating func allocate(
        _ byteCount: Int, for purpose: String
    ) throws(InferenceError) -> (base: UnsafeMutableRawPointer, owner: AlignedMemory) {
        self.byteCount += byteCount
        let start = (used + 63) & ~63
        if let piece, byteCount <= piece.byteCount - start {
            used = start + byteCount
            return (piece.base + start, piece)
        }
        let fresh = try AlignedMemory(bytes: max(byteCount, Self.pieceBytes), for: purpose)
        fresh.useHugePages()
        // A large matrix gets its own piece; the current piece stays open for small ones.
        if byteCount < Self.pieceBytes / 2 {
            piece = fresh
            used = byteCount
        }
        return (fresh.base, fresh)
    }
}
