// The backend that computes on the processor.

package import InferSupport
import Synchronization

/// Runs every operation at once, on a pool of threads; operations have completed when they return.
///
/// Threads share out rows, heads and chunks of outputs; each output is computed by one thread in an order that depends
/// on nothing but its own inputs. Several sessions may use one backend: their operations take turns.
package final class CPUBackend: Backend {
    package let name = "cpu"
    /// The kernels in use.
    package let kernels: any KernelSet
    let pool: ThreadPool
    let scratch: Mutex<CPUScratch>
    let weightArena = Mutex(WeightArena())

    /// A backend of `threads` threads, by default one per physical core this process may use.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` or `outOfMemory`.
    package init(threads: Int? = nil, kernels: KernelChoice = .automatic) throws(InferenceError) {
        pool = try ThreadPool(threads: threads ?? ProcessorCount.usable)
        self.kernels = kernels.makeKernels()
        scratch = Mutex(try CPUScratch())
    }

    /// Number of threads operations run on.
    package var threads: Int { pool.threads }

    /// Calls `body` with ranges that cover 0..<count, in parallel where all of them cost enough to share out; `cost` is
    /// the number of values one index touches.
    func forEachRange(_ count: Int, cost: Int, _ body: (Range<Int>) -> Void) {
        // Waking a thread takes as long as touching some thousands of values.
        let least = max(1, 8192 / max(cost, 1))
        let size = max(least, (count + threads * 4 - 1) / (threads * 4))
        let chunks = (count + size - 1) / size
        pool.run(chunks) { chunk, _ in body(chunk * size..<min(count, (chunk + 1) * size)) }
    }
}

extension Activations {
    /// Row `row` of activations that the CPU backend made.
    func row(_ row: Int) -> UnsafeMutablePointer<Float> {
        unsafeDowncast(self, to: CPUActivations.self).pointer(row: row)
    }
}

extension WeightVector {
    /// The values of a vector that the CPU backend made.
    var values: UnsafePointer<Float> { unsafeDowncast(self, to: CPUWeightVector.self).pointer }
}
