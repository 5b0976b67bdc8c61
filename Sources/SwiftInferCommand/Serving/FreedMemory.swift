// What a program that runs for days does with memory that it has freed.

#if Server
import InferSupport

/// The allocator's handling of freed memory, for all threads.
///
/// The GNU C library raises its two thresholds below whenever a large block is freed, and each of up to eight arenas per processor
/// keeps up to its threshold: after some large requests at once, tens of megabytes that nothing uses. Thresholds that are set stay
/// as they are. Other C libraries have neither thresholds nor these functions; nothing happens with them.
enum FreedMemory {
    /// Limits how much of it is kept. To be called early: arenas that exist stay.
    static func limit() {
        typealias Setting = @convention(c) (_ parameter: CInt, _ value: CInt) -> CInt
        guard let set = function("mallopt", as: Setting.self) else { return }
        // M_TRIM_THRESHOLD: an arena with more free memory than this at its end gives it back.
        _ = set(-1, 1 << 20)
        // M_MMAP_THRESHOLD: larger blocks are mapped alone.
        _ = set(-3, 1 << 19)
        // M_ARENA_MAX.
        _ = set(-8, 4)
    }

    /// Gives back all pages that are free, also those between blocks in use. Takes about a millisecond.
    static func giveBack() {
        typealias Trim = @convention(c) (_ kept: Int) -> CInt
        if let trim = function("malloc_trim", as: Trim.self) { _ = trim(0) }
    }

    /// A function of the GNU C library that its module does not declare; nil in other libraries.
    private static func function<F>(_ name: String, as type: F.Type) -> F? {
        #if canImport(Glibc)
        return dlsym(nil, name).map { unsafeBitCast($0, to: type) }
        #else
        return nil
        #endif
    }
}
#endif
