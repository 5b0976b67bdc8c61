// The option that names the kernels to compute with, instead of the fastest ones.

import ArgumentParser
import InferTensors

/// Which of the processor's kernels to use.
struct KernelOptions: ParsableArguments {
    /// The name of the Swift ones, which every processor can run.
    private static let reference = "reference"

    @Option(
        help: ArgumentHelp(
            "Which kernels: \((TunedKernels.names + [reference]).joined(separator: ", ")) (default: the first).",
            valueName: "name"))
    var kernels: String?

    func validate() throws {
        if let kernels, kernels != Self.reference, !TunedKernels.names.contains(kernels) {
            throw ValidationError("this processor has no kernels named '\(kernels)'.")
        }
    }

    /// The kernels that were asked for.
    var choice: KernelChoice {
        switch kernels {
        case nil: .automatic
        case Self.reference: .reference
        case .some(let name): .named(name)
        }
    }
}
