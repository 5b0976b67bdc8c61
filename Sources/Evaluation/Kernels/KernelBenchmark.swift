// The kernel benchmark: the limits of the machine first, then the check and the times of every kernel.

import Foundation
package import InferGGUF
package import InferSupport
package import InferTensors

/// Checks and times one implementation of the kernels.
package struct KernelBenchmark {
    /// The kernels to measure.
    package struct Selection: Sendable {
        /// The types of weights of the products to measure.
        package var types: [TensorType]
        /// The numbers of inputs that a product is computed for.
        package var widths: [Int]
        /// The names of the other kernels to measure, of ``otherKernels``.
        package var others: [String]

        /// Selects all kernels by default.
        package init(
            types: [TensorType] = TensorFormat.supportedTypes, widths: [Int] = [1, 2, 4, 8, 16, 32, 64],
            others: [String] = KernelBenchmark.otherKernels
        ) {
            self.types = types
            self.widths = widths
            self.others = others
        }
    }

    /// The names of the kernels other than products.
    package static var otherKernels: [String] { RowKernel.all().map(\.name) }

    private let kernels: any KernelSet
    private let selection: Selection
    private let library: BLASLibrary?
    private let timer: KernelTimer

    /// Prepares a benchmark.
    ///
    /// - Parameters:
    ///   - library: A library to time products with, too.
    ///   - threads: The number of threads that make the same calls at the same time.
    package init(
        _ kernels: any KernelSet, _ selection: Selection = Selection(), beside library: BLASLibrary? = nil,
        threads: Int = 1
    ) throws(InferenceError) {
        self.kernels = kernels
        self.selection = selection
        self.library = library
        timer = try KernelTimer(threads: threads)
    }

    /// Measures the machine and all selected kernels.
    ///
    /// - Parameter progress: Called before each step with the fraction done and the name of the step.
    package func report(_ progress: (Double, String) -> Void = { _, _ in }) throws(InferenceError) -> KernelReport {
        // Products alone need the ring and are compared with limits.
        let measuresProducts = !selection.types.isEmpty
        let ring = try AlignedMemory(
            bytes: measuresProducts
                ? WorkingSet.allCases.reduce(0) { max($0, $1.bytes(threads: 1)) } + (1 << 20) : 1, for: "weights")
        ring.useHugePages()
        // Memory that was never written is mapped to one page of zeros, which fits the first cache.
        ring.base.initializeMemory(as: UInt8.self, repeating: 1, count: ring.byteCount)
        progress(0, "limits")
        // The limits of the kernels in Swift, too, are measured with kernels in C.
        let limits = try MachineLimits(
            measuresProducts ? kernels as? TunedKernels ?? TunedKernels() : nil,
            threads: [timer.threads, CPUBackend().threads], memory: ring)
        var products: [KernelReport.ProductRow] = []
        for (index, type) in selection.types.enumerated() {
            guard
                var benchmark = try ProductBenchmark(
                    type, kernels, widest: selection.widths.max() ?? 1, threads: timer.threads, ring: ring)
            else { continue }
            let widths = selection.widths
            let distances = benchmark.distances(widths)
            for (step, set) in WorkingSet.allCases.enumerated() {
                let steps = WorkingSet.allCases.count
                progress(
                    Double(index * steps + step) / Double((selection.types.count + 1) * steps),
                    "\(type) \(set.rawValue)")
                let (call, timings) = benchmark.time(widths, set, timer)
                var others: [KernelTimer.Timing]?
                if let library { others = try benchmark.time(library, widths, set, timer) }
                for (column, timing) in timings.enumerated() {
                    var row = row(benchmark, widths[column], set, call, timing, ulps: distances[column], limits)
                    row.libraryGigaproducts = others.map { others in
                        Double(call.k * widths[column] * timer.threads) / others[column].minimum / 1e9
                    }
                    products.append(row)
                }
            }
        }
        return KernelReport(
            processor: MachineDescription.current().processor, kernels: kernels.name,
            library: library?.description, threads: timer.threads,
            limits: KernelReport.Limits(limits), products: products, others: try others(progress))
    }

    private func row(
        _ benchmark: ProductBenchmark, _ width: Int, _ set: WorkingSet, _ call: ProductBenchmark.Call,
        _ timing: KernelTimer.Timing, ulps: Int?, _ limits: MachineLimits
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
        let all = RowKernel.all().filter { selection.others.contains($0.name) }
        return all.enumerated().map { index, kernel in
            let share = Double(index) / Double(all.count)
            progress((Double(selection.types.count) + share) / Double(selection.types.count + 1), kernel.name)
            let ulps = benchmark.distance(kernel)
            let timing = benchmark.time(kernel)
            return KernelReport.RowKernelRow(
                kernel: kernel.name, elements: kernel.elements, nanoseconds: timing.median * 1e9,
                leastNanoseconds: timing.minimum * 1e9,
                gigaelements: Double(kernel.elements * timer.threads) / timing.minimum / 1e9, ulps: ulps)
        }
    }
}
