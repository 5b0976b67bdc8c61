// The most this machine can do, measured: products a second in registers, bytes read a second.

import InferSupport
import InferTensors

/// Limits that rates of kernels are compared with.
struct MachineLimits {
    /// Products a second on one thread; nil where no variant in C runs here.
    let byteProducts: Double?, floatProducts: Double?
    /// Bytes a second from each working set, on one thread and on all of them together.
    let reads: [(workingSet: WorkingSet, threads: Int, rate: Double)]

    /// Measures with the instructions of `kernels` on one thread, and reads on each number of `threads`; `memory` is room
    /// for the largest working set.
    init(_ kernels: TunedKernels?, threads: Set<Int>, memory: AlignedMemory) throws(InferenceError) {
        guard let kernels else {
            (byteProducts, floatProducts, reads) = (nil, nil, [])
            return
        }
        let single = try KernelTimer(threads: 1)
        // Enough rounds to make the call itself count for nothing.
        func rate(_ multiply: (_ rounds: Int) -> Int) -> Double {
            Double(multiply(1000)) / single.time { _, _ in _ = multiply(1000) }.minimum
        }
        byteProducts = rate { kernels.multiplyBytes(rounds: $0) }
        floatProducts = rate { kernels.multiplyFloats(rounds: $0) }
        var reads: [(WorkingSet, Int, Double)] = []
        for threads in threads.union([1]).sorted() {
            let timer = try KernelTimer(threads: threads)
            for set in WorkingSet.allCases {
                let bytes = set.bytes(threads: threads)
                let time = timer.time { thread, _ in kernels.read(bytes, memory.base + thread * bytes) }
                reads.append((set, threads, Double(bytes * threads) / time.minimum))
            }
        }
        self.reads = reads
    }

    /// Bytes a second that `threads` threads together read from a working set.
    func readRate(_ workingSet: WorkingSet, threads: Int) -> Double? {
        reads.first { $0.workingSet == workingSet && $0.threads == threads }?.rate
    }
}
