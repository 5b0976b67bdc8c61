// Threads for independent work.

import InferSupport
import Synchronization

/// Threads for one piece of work.
enum WorkerThreads {
    /// Processors of the machine.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Calls `body(&state, item)` once for each item in 0..<count, on up to `threads` threads, the calling one among them, and
    /// returns when all calls have. Items are begun in order. Each thread has a state of its own, which `makeState` makes.
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
                    // The others do this one's part.
                    context.release()
                    break
                }
                workers.append(worker)
            }
            work.body()
            for worker in workers { pthread_join(worker, nil) }
        }
    }

    /// How soon a thread gets a processor that others want as well, where a thread can have a priority of its own.
    enum Priority {
        case normal, low
    }

    /// Calls `body` on a thread of its own and returns at once. False when there can be no further thread.
    static func detach(priority: Priority = .low, _ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Work {
            #if os(Linux)
                // There a thread has a priority of its own. 0 is PRIO_PROCESS, which C libraries declare as different types.
                if priority == .low { _ = setpriority(0, 0, 10) }
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

    /// Numbers, each given to one thread.
    private final class Counter: Sendable {
        private let value = Atomic(0)

        func next(below limit: Int) -> Int? {
            let number = value.wrappingAdd(1, ordering: .relaxed).oldValue
            return number < limit ? number : nil
        }
    }

    /// What a thread does.
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func main(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }

    private static func start(_ context: UnsafeMutableRawPointer) -> pthread_t? {
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, nil, { WorkerThreads.main($0) }, context)
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, nil, { $0.flatMap { WorkerThreads.main($0) } }, context)
        #endif
        return status == 0 ? thread : nil
    }
}
