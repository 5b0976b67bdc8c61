// Detection of other programs that take processor time from a measurement.

package import InferSupport
import InferTensors
import Synchronization

/// Notices that the machine is busy with something else while rates are measured.
///
/// Two signs are used. First, threads that spin for a fixed time compare their processor time with the wall-clock time: on
/// a busy machine they get only a share of it. This also works in containers and under quotas. Second, /proc/stat tells how
/// busy all processors were in the meantime: programs on other processors slow down memory and caches, and a hypervisor
/// takes time that no process sees.
package final class MachineLoad {
    /// How long the threads of one sample spin: longer than several time slices of the scheduler.
    private static let sampleDuration = Duration.milliseconds(50)
    /// A thread that runs alone gets more of the time than this.
    private static let leastShare = 0.9
    /// Other programs may keep this many processors busy.
    private static let mostOthers = 0.3

    private let pool: ThreadPool
    private let start: Instant
    private var share = 1.0

    /// Takes the first sample.
    ///
    /// - Parameter threads: The number of threads that the measurement uses.
    package init(threads: Int) throws(InferenceError) {
        pool = try ThreadPool(threads: threads)
        start = Instant()
        sample()
    }

    /// Takes the last sample.
    ///
    /// - Returns: The signs that the machine was busy since the first sample, as texts for people; empty if there are none.
    package func warnings() -> [String] {
        sample()
        return Self.warnings(share: share, others: Instant().busyProcessors(since: start))
    }

    /// Spins on every thread at the same time, and keeps the least share of processor time that a thread got.
    private func sample() {
        let ready = Atomic(0)
        let least = Mutex(share)
        let threads = pool.threads
        // There are as many chunks as threads, and no thread continues before all have started: each takes one chunk.
        pool.run(threads) { _, _ in
            ready.add(1, ordering: .relaxed)
            while ready.load(ordering: .relaxed) < threads {}
            let start = ContinuousClock.now
            let before = Self.processorTime(CLOCK_THREAD_CPUTIME_ID)
            while ContinuousClock.now - start < Self.sampleDuration {}
            let used = Self.processorTime(CLOCK_THREAD_CPUTIME_ID) - before
            let share = used / (ContinuousClock.now - start).seconds
            least.withLock { $0 = min($0, share) }
        }
        share = least.withLock { $0 }
    }

    /// The texts for the least share of processor time that a thread got, and the processors that other programs kept busy,
    /// nil if unknown.
    package static func warnings(share: Double, others: Double?) -> [String] {
        var warnings: [String] = []
        if share < leastShare {
            warnings.append(
                "the machine is busy: a thread got only \(Format.decimal(share * 100, 0)) % of a processor's time, so rates "
                    + "are too low")
        }
        if let others, others > mostOthers {
            warnings.append(
                "the machine is busy: other programs kept \(Format.decimal(others, 1)) processors busy, so rates can be too "
                    + "low")
        }
        return warnings
    }

    /// Seconds of processor time by a clock of this thread or process.
    private static func processorTime(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The processor times at one moment.
    private struct Instant {
        let wall = ContinuousClock.now
        let own = MachineLoad.processorTime(CLOCK_PROCESS_CPUTIME_ID)
        let system = SystemFile.contents("/proc/stat").flatMap(ProcessorTimes.init)

        /// Processors that other programs kept busy since an earlier moment; nil if unknown.
        func busyProcessors(since earlier: Instant) -> Double? {
            guard let system, let before = earlier.system else { return nil }
            return system.busyProcessors(
                since: before, own: own - earlier.own, wall: (wall - earlier.wall).seconds)
        }
    }
}

/// The total times in /proc/stat, in clock ticks since the system started.
package struct ProcessorTimes: Equatable {
    package let busy: Double
    package let idle: Double
    package let processors: Int

    /// Parses the lines `cpu  user nice system idle iowait irq softirq steal …` and `cpu0 …`. Nil for other text.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("cpu") }
        guard let total = lines.first, total.hasPrefix("cpu ") else { return nil }
        let times = total.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard times.count >= 4, lines.count > 1 else { return nil }
        idle = times[3] + (times.count > 4 ? times[4] : 0)
        busy = times.reduce(0, +) - idle
        processors = lines.count - 1
    }

    /// Processors that other programs kept busy since `earlier`; nil if the counters did not advance.
    ///
    /// - Parameters:
    ///   - own: This process's processor time since then, in seconds.
    ///   - wall: The time since then, in seconds.
    package func busyProcessors(since earlier: ProcessorTimes, own: Double, wall: Double) -> Double? {
        let total = busy + idle - earlier.busy - earlier.idle
        guard total > 0, wall > 0 else { return nil }
        return max(0, (busy - earlier.busy) / total * Double(processors) - own / wall)
    }
}
