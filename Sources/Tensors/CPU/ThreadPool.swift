// Threads that share the chunks of one parallel region after another.

import CInferKernels
package import InferSupport
import Synchronization

/// A pool of `threads` threads, the caller of ``run(_:_:)`` among them.
///
/// Chunks are handed out one at a time from a counter, and a region ends when its chunks are done: a thread the system
/// has put aside meanwhile is not waited for. Workers spin for a moment after a region, then sleep.
package final class ThreadPool: @unchecked Sendable {
    /// Number of threads that take part in a region, the caller included.
    package let threads: Int
    private let region = ThreadPoolRegion()
    private var workers: [pthread_t] = []

    /// Starts `threads` − 1 workers.
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

    /// Calls `body(chunk, thread)` once for each chunk in 0..<chunks and returns when all calls have. Two calls at the
    /// same time never have the same `thread`, a number in 0..<``threads``. A region inside another, or beside one,
    /// runs on its calling thread alone, as thread 0.
    package func run(_ chunks: Int, _ body: (_ chunk: Int, _ thread: Int) -> Void) {
        guard chunks > 1, threads > 1, region.begin() else {
            for chunk in 0..<chunks { body(chunk, 0) }
            return
        }
        withoutActuallyEscaping(body) { region.run(chunks, $0) }
        region.end()
    }

    private static func start(_ context: UnsafeMutableRawPointer) -> pthread_t? {
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, nil, { ThreadPoolWorker.main($0) }, context)
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, nil, { ThreadPoolWorker.main($0) }, context)
        #endif
        return status == 0 ? thread : nil
    }
}
