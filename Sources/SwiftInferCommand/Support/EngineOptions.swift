// The model that a command works on, and the options for the engine: device, kernels, threads, context length and cache type.

public import ArgumentParser
import InferCatalogue
import InferGGUF
import InferSupport
import InferTensors
import InferTokenizers
public import SwiftInfer

/// The model that a command works on.
struct ModelArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Path of a .gguf file, or the name of a model.", valueName: "model"), completion: .model)
    var model: String

    /// The path of the model's file.
    func path() throws(InferenceError) -> String { try Catalogue.path(of: model) }

    /// The model's tokenizer. Its warnings go to standard error.
    func tokenizer() throws(InferenceError) -> Tokenizer {
        let tokenizer = try Tokenizer(metadata: GGUFFile(path: path()).metadata)
        Output.warn(tokenizer.warnings)
        return tokenizer
    }
}

/// Backend, kernels and threads.
struct EngineOptions: ParsableArguments {
    /// The values of `--backend`.
    enum Backend: String, ExpressibleByArgument, CaseIterable {
        case auto, cpu, vulkan
    }

    @Option(help: "Device to compute on.")
    var backend = Backend.auto

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Number of layers on the Vulkan device: the last n; all if n exceeds the number of blocks (default: all that fit).",
            valueName: "n"))
    var gpuLayers: Int?

    @OptionGroup var kernels: KernelOptions

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("Threads to compute with (default: one per processor).", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads), but must be at least 1.") }
        guard let gpuLayers else { return }
        if gpuLayers < 0 { throw ValidationError("--gpu-layers is \(gpuLayers), but must be at least 0.") }
        if backend != .vulkan { throw ValidationError("--gpu-layers goes with --backend vulkan.") }
    }

    /// Loads the model at `path`, with a progress bar on a terminal. Falls back to the processor if no device is available.
    ///
    /// - Parameters:
    ///   - count: The number of sessions with these options that a device keeps memory for.
    ///   - chatTemplate: A template for conversations instead of the model's.
    ///   - progress: Called with the share of the work done.
    func load(
        _ path: String, for session: Session.Options, count: Int = 1, chatTemplate: ChatTemplate.Source? = nil,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws(InferenceError) -> (model: Model, duration: Duration) {
        var options = Model.Options(gpuLayers: gpuLayers)
        options.session = session
        options.sessionCount = count
        options.chatTemplate = chatTemplate
        options.backend =
            switch backend {
            case .auto: .automatic
            case .cpu: .cpu
            case .vulkan: .vulkan
            }
        options.kernels = kernels.choice
        options.threads = threads
        if backend == .vulkan { StoredData.pipelines.announce() } else { MemoryCheck(path).warn() }
        do throws(InferenceError) {
            return try load(path, options, progress)
        } catch  where error.code == .unavailableDevice {
            Output.standardError("swiftinfer: \(error.message); running on the processor\n")
            options.backend = .cpu
            options.gpuLayers = nil
            return try load(path, options, progress)
        }
    }

    private func load(
        _ path: String, _ options: Model.Options, _ progress: @escaping @Sendable (Double) -> Void
    ) throws(InferenceError) -> (model: Model, duration: Duration) {
        let bar = ProgressBar("loading")
        defer { bar.clear() }
        let start = ContinuousClock.now
        let model = try Model(contentsOf: path, options: options) { share in
            bar.update(share)
            progress(share)
        }
        bar.clear()
        Output.warn(model.tokenizer.warnings)
        if let layers = model.deviceLayers, gpuLayers == nil, layers.count < layers.total {
            Output.standardError(
                "swiftinfer: \(layers.count) of \(layers.total) layers are on the device: all need "
                    + "\(layers.requiredByteCount.mebibytes), \(layers.availableByteCount.mebibytes) are free\n")
        }
        return (model, ContinuousClock.now - start)
    }
}

/// The option that selects the kernels of the processor.
struct KernelOptions: ParsableArguments {
    /// The name of the kernels in Swift, which run on every processor.
    private static let reference = "reference"
    /// All names, the fastest first.
    private static let names = TunedKernels.names + [BLASLibrary.kernelName, reference]

    @Option(
        help: ArgumentHelp(
            "The kernels: \(names.joined(separator: ", ")) (default: the first that this machine has).",
            valueName: "name"), completion: .list(names))
    var kernels: String?

    func validate() throws {
        if let kernels, !Self.names.contains(kernels) {
            throw ValidationError("this processor has no kernels named '\(kernels)'.")
        }
    }

    /// The selected kernels.
    var choice: KernelChoice {
        switch kernels {
        case nil: .automatic
        case Self.reference: .reference
        case BLASLibrary.kernelName: .blas
        case .some(let name): .named(name)
        }
    }
}

/// Context length and cache type of a session.
struct ContextOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp(
            "Maximum number of tokens of prompt and answer (default: what the model was trained for, at most 4096; in chats and edit, as far as a quarter of the memory holds it).",
            valueName: "n"))
    var context: Int?

    @Option(help: "Storage type of keys and values.")
    var kvType = KVCacheType.f16

    func validate() throws {
        if let context, context < 1 { throw ValidationError("--context is \(context), but must be at least 1.") }
    }

    /// The options of a session without a drafter.
    var options: Session.Options { Session.Options(contextLength: context, cacheType: kvType, drafter: .none) }

    /// The length of a chat's context: what the model was trained for, as far as a quarter of the memory holds it.
    func chatContextLength(of model: Model) -> Int {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        let memory = pages > 0 && size > 0 ? pages.multipliedReportingOverflow(by: size).partialValue : 8 << 30
        return context ?? model.contextLength(within: max(memory / 4, 1 << 28), cacheType: kvType)
    }
}

extension KVCacheType: ExpressibleByArgument {}

/// The option that chooses another chat template than the model's.
struct TemplateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Use this chat template instead of the model's: a file, or one of \(ChatFormat.names.joined(separator: ", ")).",
            valueName: "name|file"), completion: .file())
    var chatTemplate: String?

    /// The template that was chosen, if one was.
    func source() throws(InferenceError) -> ChatTemplate.Source? {
        guard let chatTemplate else { return nil }
        if let format = ChatFormat(named: chatTemplate) { return .format(format) }
        do throws(InferenceError) {
            return .jinja(String(decoding: try InputText.file(chatTemplate), as: UTF8.self))
        } catch {
            throw InferenceError(
                error.code,
                "\(error.message); --chat-template takes a file, or one of \(ChatFormat.names.joined(separator: ", "))")
        }
    }
}
