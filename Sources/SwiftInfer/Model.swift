// A loaded model: weights, tokenizer, and the sessions made from it.

import InferGGUF
public import InferSupport
public import InferTemplates
package import InferTensors
public import InferTokenizers
package import InferTransformer

/// A model file, loaded. It never changes and may be shared freely; what changes lives in the sessions.
public final class Model: Sendable {
    /// How to load a model.
    public struct Options: Sendable {
        /// The device to run on.
        public var backend = BackendChoice.automatic
        /// Threads to compute with; nil for one per available core.
        public var threads: Int?
        /// How many of the model's last layers go to a device with memory of its own, the others staying on the processor; from
        /// one more than the model has blocks on, all of it does. Nil for as many as there is room for, with sessions as
        /// ``session`` says.
        public var gpuLayers: Int?
        /// The sessions that room is left for on the device. Others may be made, as long as there is room.
        public var session = Session.Options(drafter: .none)
        /// How many of them.
        public var sessionCount = 1
        /// A template for conversations instead of the model's; nil for the model's.
        public var chatTemplate: ChatTemplate.Source?
        /// What the processor computes with: which instruction set, or the scalar kernels; for measurements and checks.
        package var kernels = KernelChoice.automatic
        /// Most bytes of the device's memory to use, as if it had no more; for checks.
        package var deviceByteLimit: Int?

        /// The fastest device, all cores.
        public init(backend: BackendChoice = .automatic, threads: Int? = nil, gpuLayers: Int? = nil) {
            self.backend = backend
            self.threads = threads
            self.gpuLayers = gpuLayers
        }
    }

    /// What the file says about the model.
    public let summary: Summary
    /// Turns text into the model's tokens and back.
    public let tokenizer: Tokenizer
    /// The way to write conversations, or why the model's own cannot be used.
    public let chatTemplate: Result<ChatTemplate, InferenceError>
    /// The forward pass and its weights.
    package let transformer: TransformerModel
    /// How much of it is on a device with memory of its own; nil where the processor has all.
    public let deviceLayers: DeviceLayers?
    /// Runs the steps of all sessions, one at a time: a step uses the whole device.
    let executor = InferenceExecutor()
    /// The repositories that sessions draft from.
    let repositories = RepositoryTable()

    /// Loads the model at `path`, a GGUF file or the first of a split model's files.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - options: The device and the number of threads.
    ///   - progress: Called with the share of the work done, from 0 to 1, while the weights are prepared.
    /// - Throws: ``InferenceError``: `unreadableFile`, `malformedModel`, one of the `unsupported…` codes, `unavailableDevice`,
    ///   or `outOfMemory` where the device has no room for as many layers as were asked for.
    public init(
        contentsOf path: String, options: Options = .init(), progress: (@Sendable (Double) -> Void)? = nil
    ) throws(InferenceError) {
        if let threads = options.threads, threads < 1 {
            throw InferenceError(.invalidArgument, "the number of threads is \(threads), but must be at least 1")
        }
        let file = try GGUFFile(path: path)
        summary = try Summary(of: file)
        tokenizer = try Tokenizer(metadata: file.metadata)
        if let source = options.chatTemplate {
            chatTemplate = .success(try ChatTemplate(source, tokenizer: tokenizer))
        } else {
            do throws(InferenceError) {
                chatTemplate = .success(try ChatTemplate(metadata: file.metadata, tokenizer: tokenizer))
            } catch {
                chatTemplate = .failure(error)
            }
        }
        (transformer, deviceLayers) = try options.load(file, progress: progress)
    }

    /// A new session, without tokens.
    ///
    /// - Throws: ``InferenceError``: `outOfMemory`, or `invalidArgument` for a context length that is out of range.
    public func makeSession(_ options: Session.Options = .init()) throws(InferenceError) -> Session {
        try Session(self, options)
    }

    /// The bytes that ``makeSession(_:)`` will allocate with these options, on top of the model's own. The first session also
    /// allocates what the steps of all sessions compute in. Drafts take more when they are first checked: 4 bytes for each token of
    /// the vocabulary and each row, up to 64 rows.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for a context length that is out of range.
    public func memoryEstimate(for options: Session.Options = .init()) throws(InferenceError) -> Int {
        let capacity = try options.contextLength(of: self)
        return transformer.sequenceByteCount(capacity: capacity, cacheType: options.cacheType)
            + transformer.workspaceByteCount(rows: min(capacity, TransformerModel.stepRows))
    }
}
