// A pool of threads that divide the chunks of one parallel region after another.

import CInferKernels
package import InferSupport
import Synchronization

/// A pool of `threads` threads, including the caller of ``run(_:_:)``.
///
/// Threads take chunks one at a time from a counter. A region ends when its chunks are done; it does not wait for a
/// thread that has taken none. After a region, workers spin for a moment and then sleep.
package final class ThreadPool: @unchecked Sendable {
    /// Number of threads, including the caller.
    package let threads: Int
    private let region = ThreadPoolRegion()
    private var workers: [pthread_t] = []

    /// Starts `threads` − 1 workers.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument`, or `outOfMemory` if a thread cannot be started.
    package init(threads: Int) throws(InferenceError) {
        guard threads >= 1, threads <= 1024 else {
            throw InferenceError(.invalidArgument, "the number of threads must be between 1 and 1024, not \(threads)")
        }
        self.threads = threads
        for index in 1..<max(threads, 1) {
            let context = Unmanaged.passRetained(ThreadPoolWorker(region: region, index: index))
            guard let worker = Self.start(context.toOpaque()) else {
                context.release()
                throw InferenceError(
                    .outOfMemory,
                    "cannot start thread \(index + 1) of \(threads); a limit on processes (ulimit -u) or memory is reached"
                )
            }
            workers.append(worker)
        }
    }

    deinit {
        region.stop()
        for worker in workers { pthread_join(worker, nil) }
    }

    /// Calls `body(chunk, thread)` once for each chunk in 0..<chunks; returns after all calls have returned.
    /// Simultaneous calls have different values of `thread`, which is in 0..<``threads``. A region that starts while
    /// another one runs is computed by its calling thread only, as thread 0.
    package func run(_ chunks: Int, _ body: (_ chunk: Int, _ thread: Int) -> Void) {
        guard chunks > 1, threads > 1, region.begin() else {
            for chunk in 0..<chunks { body(chunk, 0) }
            return
        }
        withoutActuallyEscaping(body) { region.run(chunks, $0) }
        region.end()
    }

    private static func start(_ context: UnsafeMutableRawPointer) -> pthread_t? {
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let status = pthread_create(&thread, nil, { ThreadPoolWorker.main($0) }, context)
        return status == 0 ? thread : nil
    }
}

/// The argument of a worker thread.
private final class ThreadPoolWorker {
    private let region: ThreadPoolRegion
    private let index: Int

    init(region: ThreadPoolRegion, index: Int) {
        self.region = region
        self.index = index
    }

    /// The thread's entry point; consumes the reference in `context`.
    static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let worker = Unmanaged<ThreadPoolWorker>.fromOpaque(context).takeRetainedValue()
        #if canImport(Darwin)
        // A user waits for the result. Without a class, the system may put the thread on an efficiency core.
        pthread_set_qos_class_self_np(QOS_CLASS_USER_INITIATED, 0)
        #endif
        worker.region.work(as: worker.index)
        return nil
    }
}

/// The state that the caller and the workers share: one parallel region at a time.
///
/// The protocol uses one counter, `remaining`. The thread that lowers it from r to r − 1 has taken chunk `chunks` − r.
/// The caller does not return, and does not change `chunks` or `body`, before this chunk is counted in `done`. Threads
/// therefore read both only after they have taken a chunk, and the caller never waits for a worker that has taken none.
private final class ThreadPoolRegion: @unchecked Sendable {
    /// Three counters that all threads write, 128 bytes apart: some processors fetch two cache lines of 64 bytes.
    private let lines = UnsafeMutableRawPointer.allocate(byteCount: 3 * 128, alignment: 128)
    /// Number of chunks that no thread has taken.
    private let remaining: UnsafeMutablePointer<Atomic<Int>>
    /// Number of chunks that workers have completed.
    private let done: UnsafeMutablePointer<Atomic<Int>>
    /// Number of sleeping workers that have not been woken.
    private let sleepers: UnsafeMutablePointer<Atomic<Int>>
    private let isTaken = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private var chunks = 0
    private var body: ((Int, Int) -> Void)?
    /// Number of workers that were woken and have not yet left ``sleep()``; protected by `mutex`.
    private var woken = 0
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Rounds of the waiting loop before a worker sleeps: some tens of microseconds.
    private static let spins = 2000
    /// Nanoseconds that a worker runs before it yields its processor between two chunks. Otherwise the system preempts
    /// it a little later, most likely within a chunk, and all threads wait for that chunk.
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

    /// Reserves the region for the calling thread; returns false if it is in use.
    func begin() -> Bool { isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged }

    /// Releases the region.
    func end() { isTaken.store(false, ordering: .releasing) }

    /// Runs all chunks, together with the workers that join in time.
    func run(_ chunks: Int, _ body: @escaping (Int, Int) -> Void) {
        self.chunks = chunks
        self.body = body
        done.pointee.store(0, ordering: .relaxed)
        // Sequentially consistent, as in `sleep`: either the sleeper sees the chunks, or this thread sees the sleeper.
        remaining.pointee.store(chunks, ordering: .sequentiallyConsistent)
        if sleepers.pointee.load(ordering: .sequentiallyConsistent) > 0 { wake(chunks - 1) }
        let others = chunks - takeChunks(as: 0)
        var rounds = 0
        while done.pointee.load(ordering: .acquiring) < others {
            rounds += 1
            // Lend this processor to a worker that was preempted within a chunk.
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

    /// Takes a chunk; returns the number of chunks that were left, or 0 if there was none.
    private func takeChunk() -> Int {
        guard remaining.pointee.load(ordering: .relaxed) > 0 else { return 0 }
        return max(0, remaining.pointee.subtract(1, ordering: .acquiring).oldValue)
    }

    /// Runs chunks until all are taken; returns the number of chunks run.
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

    /// Takes part in regions until ``stop()``.
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

    /// Waits until there are chunks to take, or until ``stop()``.
    private func sleep() {
        pthread_mutex_lock(mutex)
        sleepers.pointee.add(1, ordering: .sequentiallyConsistent)
        while woken == 0, remaining.pointee.load(ordering: .sequentiallyConsistent) <= 0,
            !isStopped.load(ordering: .sequentiallyConsistent)
        {
            pthread_cond_wait(condition, mutex)
        }
        // `sleepers` + `woken` is the number of threads in this method, so any of them may leave.
        if woken > 0 { woken -= 1 } else { sleepers.pointee.subtract(1, ordering: .relaxed) }
        pthread_mutex_unlock(mutex)
    }
}
