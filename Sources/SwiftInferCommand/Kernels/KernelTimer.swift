// How long calls of a kernel take, on one thread or on several at once.

import InferSupport
import InferTensors
import Synchronization

/// Times calls that every thread makes side by side, each on operands of its own.
struct KernelTimer {
    /// Seconds a call takes: the median of the samples and the least of them.
    struct Timing {
        let median: Double
        let minimum: Double
    }

    /// Samples that are taken, and how long one lasts at least: long against the clock's grain, short against the time
    /// slice of another program.
    private static let samples = 9, shortestSample = Duration.milliseconds(4)

    private let pool: ThreadPool

    /// A timer for `threads` threads.
    init(threads: Int) throws(InferenceError) { pool = try ThreadPool(threads: threads) }

    /// Number of threads that make calls.
    var threads: Int { pool.threads }

    /// Times `call`, which is given its thread and how many calls that thread has made before. The first `warmUp` calls
    /// do not count.
    func time(warmUp: Int = 1, _ call: (_ thread: Int, _ index: Int) -> Void) -> Timing {
        var next = warmUp
        _ = seconds(0..<warmUp, call)
        var count = 1
        while seconds(next..<next + count, call) * Double(count) < Self.shortestSample.seconds {
            next += count
            count *= 2
        }
        let times = (0..<Self.samples).map { _ in
            next += count
            return seconds(next..<next + count, call)
        }.sorted()
        return Timing(median: times[times.count / 2], minimum: times[0])
    }

    /// Seconds a call takes by each thread's own clock, the mean over the threads.
    private func seconds(_ calls: Range<Int>, _ call: (Int, Int) -> Void) -> Double {
        let ready = Atomic(0)
        let total = Mutex(Duration.zero)
        // As many chunks as threads, and nobody goes on before all have begun: every thread takes one.
        pool.run(threads) { thread, _ in
            ready.add(1, ordering: .relaxed)
            while ready.load(ordering: .relaxed) < threads {}
            let start = ContinuousClock.now
            for index in calls { call(thread, index) }
            let elapsed = ContinuousClock.now - start
            total.withLock { $0 += elapsed }
        }
        return total.withLock { $0 }.seconds / Double(max(calls.count, 1) * threads)
    }
}
