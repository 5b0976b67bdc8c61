// The kernels beside products: whether they are exact, and how long they take.

import InferSupport
import InferTensors

/// Rows of values and results that fill half of the second cache of every thread.
struct RowKernelBenchmark {
    private let kernels: any KernelSet
    private let timer: KernelTimer
    /// Rows of each thread.
    private let rows: Int
    private let x: AlignedMemory, y: AlignedMemory

    /// A benchmark of `kernels` on `timer`'s threads.
    init(_ kernels: any KernelSet, _ timer: KernelTimer) throws(InferenceError) {
        self.kernels = kernels
        self.timer = timer
        rows = max(1, WorkingSet.l2.bytes(threads: timer.threads) / (2 * RowKernel.count * 4))
        x = try AlignedMemory(bytes: timer.threads, rows, RowKernel.count, 4, for: "values")
        y = try AlignedMemory(bytes: timer.threads, rows, RowKernel.count, 4, for: "results")
    }

    /// The largest distance of a result from the Swift kernel's, in units of the last place.
    func distance(_ kernel: RowKernel) -> Int {
        let expected = results(kernel, ReferenceKernels())
        return zip(results(kernel, kernels), expected).reduce(0) { distance, pair in
            // Bytes that happen to look like NaNs count as they are.
            pair.0.bitPattern == pair.1.bitPattern ? distance : max(distance, 1, pair.0.ulps(from: pair.1))
        }
    }

    /// Times the calls for one row after the other.
    func time(_ kernel: RowKernel) -> KernelTimer.Timing {
        fill(kernel, kernels, rows: timer.threads * rows)
        return timer.time(warmUp: rows) { thread, index in
            let offset = (thread * rows + index % rows) * RowKernel.count
            kernel.run(kernels, x.floats + offset, y.floats + offset)
        }
    }

    private func results(_ kernel: RowKernel, _ kernels: any KernelSet) -> [Float] {
        fill(kernel, kernels, rows: 1)
        y.floats.update(repeating: 0, count: RowKernel.count)
        kernel.run(kernels, x.floats, y.floats)
        return Array(UnsafeBufferPointer(start: y.floats, count: RowKernel.count))
    }

    private func fill(_ kernel: RowKernel, _ kernels: any KernelSet, rows: Int) {
        var noise = KernelNoise()
        for row in 0..<rows {
            let values = x.floats + row * RowKernel.count
            values.update(from: noise.values(RowKernel.count), count: RowKernel.count)
            kernel.prepare(kernels, values)
        }
    }
}
