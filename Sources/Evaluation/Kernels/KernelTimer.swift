// Timing of kernel calls, their made-up inputs, and the distance between two results.

import InferSupport
import InferTensors
import Synchronization

/// Times calls that all threads make at the same time, each on its own operands.
struct KernelTimer {
    /// Seconds per call: the median and the minimum of the samples.
    struct Timing {
        let median: Double
        let minimum: Double
    }

    /// The number of samples and the least duration of one: long against the clock's resolution, short against the
    /// time slice of another program.
    private static let samples = 9, shortestSample = Duration.milliseconds(4)

    private let pool: ThreadPool

    /// A timer for `threads` threads.
    init(threads: Int) throws(InferenceError) { pool = try ThreadPool(threads: threads) }

    /// Number of threads that make calls.
    var threads: Int { pool.threads }

    /// Times `call`. Its arguments are the thread and the number of calls that this thread made before. The first `warmUp`
    /// calls are not timed.
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

    /// Seconds per call. Each thread measures its own calls; the result is the mean over the threads.
    private func seconds(_ calls: Range<Int>, _ call: (Int, Int) -> Void) -> Double {
        let ready = Atomic(0)
        let total = Mutex(Duration.zero)
        // There are as many chunks as threads, and no thread continues before all have started: each takes one chunk.
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

/// Uniformly distributed values between −1 and 1, the same in every run.
struct KernelNoise {
    private var state: UInt32 = 1

    /// The next `count` values.
    mutating func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            // The multiplier of L'Ecuyer, Math. Comp. 68 (1999), for a modulus of 2³².
            state = state &* 2_891_336_453 &+ 1
            return Float(Int32(bitPattern: state)) / 0x1p31
        }
    }
}

extension Float {
    /// The distance to `other` in units of the last place: 0 for equal values and for two NaNs, 1 for neighbours.
    func ulps(from other: Float) -> Int {
        if isNaN, other.isNaN { return 0 }
        // Bit patterns in the order of their values; −0 and +0 are equal.
        func rank(_ value: Float) -> Int {
            let bits = Int(value.bitPattern)
            return bits < 1 << 31 ? bits : (1 << 31) - 1 - bits
        }
        return abs(rank(self) - rank(other))
    }
}
