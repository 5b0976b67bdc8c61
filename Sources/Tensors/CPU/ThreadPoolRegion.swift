// The state a thread pool's caller and workers share.

import CInferKernels
import InferSupport
import Synchronization

/// One parallel region at a time: opened by the caller, whose chunks it and the workers then take one by one.
///
/// `remaining` is the whole protocol: whoever lowers it from r to r − 1 has taken chunk `chunks` − r, and the caller does
/// not return, nor change `chunks` and `body`, before that chunk is counted in `done`. So they are read only after a
/// chunk was taken, and a worker that has taken none is never waited for.
final class ThreadPoolRegion: @unchecked Sendable {
    /// What the threads write in turn, a cache line (128 bytes, as some processors fetch two) each.
    private let lines = UnsafeMutableRawPointer.allocate(byteCount: 3 * 128, alignment: 128)
    /// Chunks nobody has taken yet.
    private let remaining: UnsafeMutablePointer<Atomic<Int>>
    /// Chunks that workers have run.
    private let done: UnsafeMutablePointer<Atomic<Int>>
    /// Workers asleep that nobody has woken.
    private let sleepers: UnsafeMutablePointer<Atomic<Int>>
    private let isTaken = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private var chunks = 0
    private var body: ((Int, Int) -> Void)?
    /// Workers that were woken and have not yet left ``sleep()``; guarded by `mutex`.
    private var woken = 0
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Rounds of the waiting loop before a worker sleeps, some tens of microseconds.
    private static let spins = 2000
    /// How long a worker runs before it offers its processor to other programs. The system would let it run a little
    /// longer and then stop it, most likely in the midst of a chunk that everyone waits for.
    private static let turn = 1_000_000

    init() {
        remaining = Self.counter(at: lines)
        done = Self.counter(at: lines + 128)
        sleepers = Self.counter(at: lines + 256)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    private static func counter(at memory: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<Int>> {
        let pointer = memory.bindMemory(to: Atomic<Int>.self, capacity: 1)
        pointer.initialize(to: Atomic(0))
        return pointer
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
        lines.deallocate()
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
        done.pointee.store(0, ordering: .relaxed)
        // Orders with `sleep`: either the sleeper sees the chunks, or this thread sees the sleeper.
        remaining.pointee.store(chunks, ordering: .sequentiallyConsistent)
        if sleepers.pointee.load(ordering: .sequentiallyConsistent) > 0 { wake(chunks - 1) }
        let others = chunks - takeChunks(as: 0)
        var rounds = 0
        while done.pointee.load(ordering: .acquiring) < others {
            rounds += 1
            // A worker that lost its processor in a chunk gets this one.
            if rounds % 1000 == 0 { sched_yield() } else { si_relax() }
        }
        self.body = nil
    }

    /// Ends all workers.
    func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        wake(.max)
    }

    private func wake(_ most: Int) {
        pthread_mutex_lock(mutex)
        let count = min(most, sleepers.pointee.load(ordering: .relaxed))
        sleepers.pointee.subtract(count, ordering: .relaxed)
        woken += count
        for _ in 0..<count { pthread_cond_signal(condition) }
        pthread_mutex_unlock(mutex)
    }

    // MARK: Both sides

    /// Takes a chunk: the number of chunks that were left, or 0 when there was none.
    private func takeChunk() -> Int {
        guard remaining.pointee.load(ordering: .relaxed) > 0 else { return 0 }
        return max(0, remaining.pointee.subtract(1, ordering: .acquiring).oldValue)
    }

    /// Runs chunks until all are taken; returns how many.
    private func takeChunks(as thread: Int) -> Int {
        var left = takeChunk()
        guard left > 0, let body else { return 0 }
        let chunks = chunks
        var count = 0
        while left > 0 {
            body(chunks - left, thread)
            count += 1
            left = takeChunk()
        }
        return count
    }

    // MARK: The workers' side

    /// Joins regions until stopped.
    func work(as thread: Int) {
        var rounds = 0
        var turnStart = Self.nanoseconds()
        while !isStopped.load(ordering: .relaxed) {
            let count = takeChunks(as: thread)
            if count > 0 {
                done.pointee.add(count, ordering: .releasing)
                rounds = 0
                guard Self.nanoseconds() - turnStart > Self.turn else { continue }
                sched_yield()
                turnStart = Self.nanoseconds()
            } else if rounds < Self.spins {
                rounds += 1
                si_relax()
            } else {
                sleep()
                rounds = 0
                turnStart = Self.nanoseconds()
            }
        }
    }

    private static func nanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Waits until there are chunks to take, or for the end.
    private func sleep() {
        pthread_mutex_lock(mutex)
        sleepers.pointee.add(1, ordering: .sequentiallyConsistent)
        while woken == 0, remaining.pointee.load(ordering: .sequentiallyConsistent) <= 0,
            !isStopped.load(ordering: .sequentiallyConsistent)
        {
            pthread_cond_wait(condition, mutex)
        }
        // `sleepers` and `woken` together count the threads in here, whichever of them leaves.
        if woken > 0 { woken -= 1 } else { sleepers.pointee.subtract(1, ordering: .relaxed) }
        pthread_mutex_unlock(mutex)
    }
}
