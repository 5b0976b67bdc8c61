// The state a thread pool's caller and workers share.

import CKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One parallel region at a time: opened by the caller, joined by workers, closed when its chunks are taken.
///
/// `state` holds the region's number (upper half), whether it can be joined, and how many workers are inside (lower
/// half). The plain variables are written only while no worker is inside and the region is closed.
final class ThreadPoolRegion: @unchecked Sendable {
    private let state = Atomic<UInt64>(0)
    private let nextChunk = Atomic<Int>(0)
    private let isTaken = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let sleepers = Atomic<Int>(0)
    private var chunks = 0
    private var body: ((Int, Int) -> Void)?
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private static let openBit: UInt64 = 1 << 31
    private static let insideMask: UInt64 = openBit - 1
    /// Rounds of the waiting loop before a worker sleeps, some tens of microseconds.
    private static let spins = 2000

    init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    // MARK: The caller's side

    /// Takes the region for the calling thread, unless it is in use.
    func begin() -> Bool { isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged }

    /// Gives the region back.
    func end() { isTaken.store(false, ordering: .releasing) }

    /// Runs all chunks, with whichever workers come in time.
    func run(_ chunks: Int, _ body: @escaping (Int, Int) -> Void) {
        self.chunks = chunks
        self.body = body
        nextChunk.store(0, ordering: .relaxed)
        let number = (state.load(ordering: .relaxed) >> 32 &+ 1) & 0xffff_ffff
        // Orders with `sleep`: either the sleeper sees the open region, or this thread sees the sleeper.
        state.store(number << 32 | Self.openBit, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
        takeChunks(chunks, body, as: 0)
        state.bitwiseAnd(~Self.openBit, ordering: .acquiringAndReleasing)
        var rounds = 0
        while state.load(ordering: .acquiring) & Self.insideMask != 0 {
            rounds += 1
            // A worker that lost its processor in a chunk gets this one.
            if rounds % 1000 == 0 { sched_yield() } else { si_relax() }
        }
        self.body = nil
    }

    /// Ends all workers.
    func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        wake()
    }

    private func wake() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    private func takeChunks(_ chunks: Int, _ body: (Int, Int) -> Void, as thread: Int) {
        while true {
            let chunk = nextChunk.add(1, ordering: .relaxed).oldValue
            guard chunk < chunks else { return }
            body(chunk, thread)
        }
    }

    // MARK: The workers' side

    /// Joins regions until stopped.
    func work(as thread: Int) {
        var last: UInt64 = 0
        var rounds = 0
        while !isStopped.load(ordering: .acquiring) {
            let seen = state.load(ordering: .acquiring)
            if isNew(seen, after: last) {
                guard state.compareExchange(expected: seen, desired: seen + 1, ordering: .acquiring).exchanged else {
                    continue
                }
                last = seen >> 32
                if let body { takeChunks(chunks, body, as: thread) }
                state.subtract(1, ordering: .releasing)
                rounds = 0
            } else if rounds < Self.spins {
                rounds += 1
                si_relax()
            } else {
                sleep(after: last)
                rounds = 0
            }
        }
    }

    private func isNew(_ state: UInt64, after last: UInt64) -> Bool {
        state & Self.openBit != 0 && state >> 32 != last
    }

    /// Waits for a region with another number than `last`, or for the end.
    private func sleep(after last: UInt64) {
        pthread_mutex_lock(mutex)
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !isNew(state.load(ordering: .sequentiallyConsistent), after: last),
            !isStopped.load(ordering: .sequentiallyConsistent)
        {
            pthread_cond_wait(condition, mutex)
        }
        sleepers.subtract(1, ordering: .relaxed)
        pthread_mutex_unlock(mutex)
    }
}
