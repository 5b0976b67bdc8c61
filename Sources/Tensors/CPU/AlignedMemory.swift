// Memory of the CPU backend: zeroed, page-aligned, given back to the system with its owner.

package import InferSupport

/// Zeroed memory that takes up room only once it is touched.
///
/// Sendable as a plain block of bytes is: whoever shares it says who writes when.
package final class AlignedMemory: @unchecked Sendable {
    /// The first byte.
    package let base: UnsafeMutableRawPointer
    /// Size in bytes.
    package let byteCount: Int

    /// Memory for the product of `extents`, in bytes; `purpose` names it in the error message.
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

    /// Asks for huge pages: long streams then miss the processor's page tables less, and fewer faults fill the memory.
    package func useHugePages() {
        #if canImport(Glibc) || canImport(Musl)
            madvise(base, byteCount, MADV_HUGEPAGE)
        #endif
    }

    deinit { munmap(base, byteCount) }

    /// The memory as f32 values.
    package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }

    #if canImport(Darwin)
        private static let anonymous = MAP_ANON
    #else
        private static let anonymous = MAP_ANONYMOUS
    #endif
}
