// The run of `bench kernels`: limits of the machine first, then every kernel's check and times.

import Foundation
import InferGGUF
import InferSupport
import InferTensors

/// Checks and times one implementation of the kernels.
struct KernelBenchmark {
    private let kernels: any KernelSet
    private let types: [TensorType]
    private let widths: [Int]
    private let timer: KernelTimer

    /// A benchmark of products with weights of `types` at `widths`, on `threads` threads, and of the other kernels.
    init(_ kernels: any KernelSet, types: [TensorType], widths: [Int], threads: Int) throws(InferenceError) {
        self.kernels = kernels
        self.types = types
        self.widths = widths
        timer = try KernelTimer(threads: threads)
    }

    /// Runs everything; `progress` is told the fraction done and what comes next.
    func report(_ progress: (Double, String) -> Void) throws(InferenceError) -> KernelReport {
        let ring = try AlignedMemory(
            bytes: WorkingSet.allCases.reduce(0) { max($0, $1.bytes(threads: 1)) } + (1 << 20), for: "weights")
        ring.useHugePages()
        // Memory that was never written would all be one page of zeros, in the first cache.
        ring.base.initializeMemory(as: UInt8.self, repeating: 1, count: ring.byteCount)
        progress(0, "limits")
        // The kernels in Swift are compared with what the processor can do in C.
        let limits = try MachineLimits(
            kernels as? TunedKernels ?? TunedKernels(), threads: [timer.threads, CPUBackend().threads], memory: ring)
        var products: [KernelReport.ProductRow] = []
        for (index, type) in types.enumerated() {
            guard
                var benchmark = try ProductBenchmark(
                    type, kernels, widest: widths.max() ?? 1, threads: timer.threads, ring: ring)
            else { continue }
            let distances = benchmark.distances(widths)
            for (step, set) in WorkingSet.allCases.enumerated() {
                let steps = WorkingSet.allCases.count
                progress(Double(index * steps + step) / Double((types.count + 1) * steps), "\(type) \(set.rawValue)")
                let (call, timings) = benchmark.time(widths, set, timer)
                for (column, timing) in timings.enumerated() {
                    products.append(
                        row(benchmark, widths[column], set, call, timing, ulps: distances[column], limits))
                }
            }
        }
        return KernelReport(
            processor: MachineDescription.current().processor, kernels: kernels.name, threads: timer.threads,
            limits: KernelReport.Limits(limits), products: products, others: try others(progress))
    }

    private func row(
        _ benchmark: ProductBenchmark, _ width: Int, _ set: WorkingSet, _ call: ProductBenchmark.Call,
        _ timing: KernelTimer.Timing, ulps: Int, _ limits: MachineLimits
    ) -> KernelReport.ProductRow {
        let threads = Double(timer.threads)
        let products = Double(call.k * call.rows * width)
        let peak = benchmark.input == .float ? limits.floatProducts : limits.byteProducts
        let readRate = limits.readRate(set, threads: timer.threads)
        return KernelReport.ProductRow(
            type: "\(benchmark.type)".lowercased(), width: width, workingSet: set, k: call.k, rows: call.rows,
            nanoseconds: timing.median * 1e9, leastNanoseconds: timing.minimum * 1e9,
            gigabytesPerSecond: Double(call.bytes) * threads / timing.minimum / 1e9,
            gigaproducts: products * threads / timing.minimum / 1e9,
            shareOfPeak: peak.map { products / $0 / timing.minimum },
            shareOfRoofline: peak.flatMap { peak in
                readRate.map { max(products / peak, Double(call.bytes) * threads / $0) / timing.minimum }
            },
            ulps: ulps)
    }

    private func others(_ progress: (Double, String) -> Void) throws(InferenceError) -> [KernelReport.RowKernelRow] {
        let benchmark = try RowKernelBenchmark(kernels, timer)
        let all = RowKernel.all()
        return all.enumerated().map { index, kernel in
            let share = Double(index) / Double(all.count)
            progress((Double(types.count) + share) / Double(types.count + 1), kernel.name)
            let ulps = benchmark.distance(kernel)
            let timing = benchmark.time(kernel)
            return KernelReport.RowKernelRow(
                kernel: kernel.name, elements: kernel.elements, nanoseconds: timing.median * 1e9,
                leastNanoseconds: timing.minimum * 1e9,
                gigaelements: Double(kernel.elements * timer.threads) / timing.minimum / 1e9, ulps: ulps)
        }
    }
}
