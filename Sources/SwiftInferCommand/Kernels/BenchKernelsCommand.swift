// `swiftinfer bench kernels`: every kernel checked against its twin in Swift, then timed.

import ArgumentParser
import InferGGUF
import InferTensors

struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Check the kernels and measure how fast they are.",
        discussion: """
            Products with weights of every type, first compared with the same in Swift (ulps: units of the last place; 0 says \
            the same bits), then timed on weights that lie in each cache and in memory. ns is the median of short runs; \
            rates are those of the least. of peak: products a second over what the same instructions do on \
            registers alone, as measured at the start. of roofline: the time that this peak and the measured read \
            bandwidth allow over the time taken.
            """
    )

    @Option(help: ArgumentHelp("Types of weights (default: all).", valueName: "type,…"))
    var types: TensorTypeList?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Numbers of inputs a product is computed for.", valueName: "n,n,…"))
    var widths = CountList([1, 2, 4, 8, 16, 32, 64])

    @OptionGroup var kernels: KernelOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("Threads that make the same calls side by side.", valueName: "n"))
    var threads = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads), but must be from 1 to 1024.")
        }
        if widths.counts.isEmpty { throw ValidationError("--widths must name one width at least.") }
        if widths.counts.contains(where: { $0 > 4096 }) { throw ValidationError("--widths must be at most 4096.") }
    }

    func run() throws {
        let set = kernels.choice.makeKernels()
        let bar = ProgressBar("measuring")
        defer { bar.clear() }
        let report = try KernelBenchmark(
            set, types: types?.types ?? TensorFormat.supportedTypes, widths: widths.counts, threads: threads
        ).report { bar.update($0, note: $1) }
        bar.clear()
        if json { try Output.json(report) } else { Output.standardOutput(report.text) }
        if !report.isExact {
            Output.standardError("swiftinfer: error: some \(set.name) kernels differ from their twins in Swift\n")
            throw ExitCode.failure
        }
    }
}
