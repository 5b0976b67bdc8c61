// Threads for independent work.

import InferSupport
import Synchronization

/// Starts threads for independent work.
enum WorkerThreads {
    /// Number of processors.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Calls `body(&state, item)` once for each item in 0..<count on up to `threads` threads, including the calling
    /// one, and returns when all calls have returned. Items start in order. Each thread has its own state from
    /// `makeState`.
    static func run<State>(
        _ count: Int, threads: Int, state makeState: @Sendable () -> State,
        _ body: @Sendable (inout State, Int) -> Void
    ) {
        let counter = Counter()
        withoutActuallyEscaping({ @Sendable in
            var state = makeState()
            while let item = counter.next(below: count) { body(&state, item) }
        }) { part in
            let work = Work(part)
            var workers: [pthread_t] = []
            for _ in 1..<max(1, min(threads, count)) {
                let context = Unmanaged.passRetained(work)
                guard let worker = start(context.toOpaque()) else {
                    // The other threads take over the work of this one.
                    context.release()
                    break
                }
                workers.append(worker)
            }
            work.body()
            for worker in workers { pthread_join(worker, nil) }
        }
    }

    /// The priority of a thread, on systems with a priority per thread.
    enum Priority {
        case normal, low
    }

    /// Calls `body` on a new thread and returns at once. Returns false if no thread can be created.
    static func detach(priority: Priority = .low, _ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Work {
            #if os(Linux)
            // On Linux a thread has its own priority. 0 is PRIO_PROCESS, which C libraries declare with different
            // types.
            if priority == .low { _ = setpriority(0, 0, 10) }
            #elseif canImport(Darwin)
            if priority == .low { pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0) }
            #endif
            body()
        }
        let context = Unmanaged.passRetained(work)
        guard let thread = start(context.toOpaque()) else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// A counter that gives each number to one thread.
    private final class Counter: Sendable {
        private let value = Atomic(0)

        func next(below limit: Int) -> Int? {
            let number = value.wrappingAdd(1, ordering: .relaxed).oldValue
            return number < limit ? number : nil
        }
    }

    /// The work of a thread.
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }

    private static func start(_ context: UnsafeMutableRawPointer) -> pthread_t? {
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let status = pthread_create(&thread, nil, { WorkerThreads.main($0) }, context)
        return status == 0 ? thread : nil
    }
}
