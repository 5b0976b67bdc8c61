// The backend that computes on the processor: its threads, kernels and memory.

package import InferSupport
import Synchronization

/// Runs every operation immediately, on a pool of threads. An operation has completed when its method returns.
///
/// The threads divide rows, heads and chunks of outputs. One thread computes an output, in an order that depends only
/// on the inputs of this output. Several sessions may use one backend; their operations take turns.
package final class CPUBackend: Backend {
    package let name = "cpu"
    /// The kernels that all operations use.
    package let kernels: any KernelSet
    let pool: ThreadPool
    let scratch: Mutex<CPUScratch>
    let weightArena = Mutex(WeightArena())

    /// A backend with `threads` threads; by default one per physical core that this process may use.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument`, also if the kernels need a library that is not there, or
    ///   `outOfMemory`.
    package init(threads: Int? = nil, kernels: KernelChoice = .automatic) throws(InferenceError) {
        pool = try ThreadPool(threads: threads ?? ProcessorCount.usable)
        self.kernels = try kernels.makeKernels()
        scratch = Mutex(try CPUScratch())
    }

    /// Number of threads that operations run on.
    package var threads: Int { pool.threads }

    /// Calls `body` with ranges that cover 0..<count, in parallel if the work is large enough; `cost` is the number of
    /// values that one index accesses.
    func forEachRange(_ count: Int, cost: Int, _ body: (Range<Int>) -> Void) {
        // Waking a thread takes as long as accessing some thousands of values.
        let least = max(1, 8192 / max(cost, 1))
        let size = max(least, (count + threads * 4 - 1) / (threads * 4))
        let chunks = (count + size - 1) / size
        pool.run(chunks) { chunk, _ in body(chunk * size..<min(count, (chunk + 1) * size)) }
    }
}
