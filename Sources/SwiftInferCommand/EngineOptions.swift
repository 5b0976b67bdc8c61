// Options that say what a model runs on; shared by every command that computes.

import ArgumentParser
import SwiftInfer

/// Backend, kernels and threads.
struct EngineOptions: ParsableArguments {
    /// What can be asked for with `--backend`.
    enum Backend: String, ExpressibleByArgument, CaseIterable {
        case auto, cpu, vulkan
    }

    @Option(help: "Device to compute on.")
    var backend = Backend.auto

    @OptionGroup var kernels: KernelOptions

    @Option(help: ArgumentHelp("Threads to compute with (default: one per processor).", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    /// Loads the model at `path`, with a progress bar on a terminal.
    func load(_ path: String) throws(InferenceError) -> (model: Model, duration: Duration) {
        var options = Model.Options()
        options.backend =
            switch backend {
            case .auto: .automatic
            case .cpu: .cpu
            case .vulkan: .vulkan
            }
        options.kernels = kernels.choice
        options.threads = threads
        do throws(InferenceError) {
            return try load(path, options)
        } catch  where error.code == .unavailableDevice {
            Output.standardError("swiftinfer: \(error.message); running on the processor\n")
            options.backend = .cpu
            return try load(path, options)
        }
    }

    private func load(
        _ path: String, _ options: Model.Options
    ) throws(InferenceError) -> (model: Model, duration: Duration) {
        let bar = ProgressBar("loading")
        defer { bar.clear() }
        let start = ContinuousClock.now
        let model = try Model(contentsOf: path, options: options) { bar.update($0) }
        return (model, ContinuousClock.now - start)
    }
}
