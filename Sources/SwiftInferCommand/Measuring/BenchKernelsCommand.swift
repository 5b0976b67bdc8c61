// `swiftinfer bench kernels`: compares every kernel with its twin in Swift and times it.

import ArgumentParser
import Foundation
import InferEvaluation
import InferGGUF
import InferSupport
import InferTensors

struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Check the kernels and measure how fast they are.",
        discussion: """
            Products with weights of every type are compared with the Swift kernels (ulps: units in the last place; 0 means \
            the same bits), then timed on weights in each cache and in memory. ns is the median of short runs; rates are \
            those of the fastest run. of peak: products per second over those of the same instructions on registers alone, \
            measured at the start. of roofline: the time that this peak and the measured read bandwidth allow, over the \
            time taken. library: the same product by OpenBLAS, if it is there, as fast as it does it: in one call of up to \
            512 rows, with quantised weights converted to f32 first. OpenBLAS may not know a new processor; the environment \
            variable OPENBLAS_CORETYPE, such as SkylakeX, tells it which code to run.
            """
    )

    @Option(help: ArgumentHelp("Types of weights (default: all).", valueName: "type,…"))
    var types: TensorTypeList?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Numbers of inputs of a product.", valueName: "n,n,…"))
    var widths = CountList([1, 2, 4, 8, 16, 32, 64])

    @Option(help: ArgumentHelp("Measure only products with this type of weights.", valueName: "type"))
    var type: TensorTypeList?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Measure only products at this width.", valueName: "n"))
    var width: Int?

    @Option(
        help: ArgumentHelp(
            "Measure only this kernel: \(([Self.productName] + KernelBenchmark.otherKernels).joined(separator: ", ")).",
            valueName: "name"))
    var kernel: String?

    @OptionGroup var kernels: KernelOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("Number of threads that make the same calls at the same time.", valueName: "n"))
    var threads = 1

    @OptionGroup var recording: RecordOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    /// The name of the product kernels for `--kernel`.
    private static let productName = "product"

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads), but must be from 1 to 1024.")
        }
        if widths.counts.isEmpty { throw ValidationError("--widths must name one width at least.") }
        if widths.counts.contains(where: { $0 > 4096 }) { throw ValidationError("--widths must be at most 4096.") }
        if let width, !(1...4096).contains(width) {
            throw ValidationError("--width is \(width), but must be from 1 to 4096.")
        }
        if let type {
            if types != nil { throw ValidationError("Give --type or --types, not both.") }
            if type.types.count > 1 { throw ValidationError("--type names one type; --types takes several.") }
        }
        guard let kernel = kernelName else { return }
        guard ([Self.productName] + KernelBenchmark.otherKernels).contains(kernel) else {
            throw ValidationError("There is no kernel named '\(kernel)'; --help lists them.")
        }
        if kernel != Self.productName, type != nil || types != nil || width != nil {
            throw ValidationError("--type, --types and --width go with --kernel \(Self.productName).")
        }
    }

    /// The name given with `--kernel`; hyphens stand for blanks.
    private var kernelName: String? { kernel.map { $0.lowercased().replacing("-", with: " ") } }

    /// The kernels that were asked for.
    private var selection: KernelBenchmark.Selection {
        var selection = KernelBenchmark.Selection(
            types: (type ?? types)?.types ?? TensorFormat.supportedTypes, widths: width.map { [$0] } ?? widths.counts)
        let selectsProducts = type != nil || width != nil || kernelName == Self.productName
        if selectsProducts { selection.others = [] }
        if let kernelName, !selectsProducts {
            selection.types = []
            selection.others = [kernelName]
        }
        return selection
    }

    func run() throws {
        let set = try kernels.choice.makeKernels()
        let files = try recording.open(.kernels)
        let bar = ProgressBar("measuring")
        defer { bar.clear() }
        let load = try MachineLoad(threads: threads)
        let report = try KernelBenchmark(
            set, selection, beside: try? BLASLibrary.system.get(), threads: threads
        ).report { bar.update($0, note: $1) }
        let warnings = load.warnings()
        bar.clear()
        Output.warn(warnings)
        let comparison = try files.finish(
            RateRecord(
                .kernels, version: Version.number, date: Date(), machine: .current(), instructionSet: report.kernels,
                settings: ["number of threads": "\(threads)", "build": Version.configuration], warnings: warnings,
                rates: report.rates))
        if json {
            try Output.json(ComparedReport(report: report, comparison: comparison))
        } else {
            Output.standardOutput(report.text + (comparison.map { "\n" + $0.text } ?? ""))
        }
        if !report.isExact {
            Output.standardError("swiftinfer: error: some \(set.name) kernels differ from their twins in Swift\n")
            throw ExitCode.failure
        }
    }
}
