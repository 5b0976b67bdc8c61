// Options that say what a model runs on; shared by every command that computes.

import ArgumentParser
import SwiftInfer

/// Backend and threads.
struct EngineOptions: ParsableArguments {
    /// What can be asked for with `--backend`.
    enum Backend: String, ExpressibleByArgument, CaseIterable {
        case auto, cpu, vulkan
    }

    @Option(help: "Device to compute on.")
    var backend = Backend.auto

    @Option(help: ArgumentHelp("Threads to compute with (default: one per processor).", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    /// Loads the model at `path`, with a progress bar on a terminal.
    func load(_ path: String) throws(InferenceError) -> (model: Model, duration: Duration) {
        guard backend != .vulkan else {
            throw InferenceError(
                .invalidArgument, "this build has no Vulkan backend yet; use --backend cpu, or leave it out")
        }
        var options = Model.Options()
        options.backend = backend == .cpu ? .cpu : .automatic
        options.threads = threads
        let bar = ProgressBar("loading")
        defer { bar.clear() }
        let start = ContinuousClock.now
        let model = try Model(contentsOf: path, options: options) { bar.update($0) }
        return (model, ContinuousClock.now - start)
    }
}
