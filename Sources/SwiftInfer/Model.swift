// A loaded model: weights and tokenizer, from which sessions are made.

import InferGGUF
public import InferSupport
public import InferTemplates
package import InferTensors
public import InferTokenizers
package import InferTransformer
import Synchronization

/// A loaded model file. It never changes and may be shared freely. All state that changes is in the sessions.
public final class Model: Sendable {
    /// Options of loading a model.
    public struct Options: Sendable {
        /// The device to run on.
        public var backend = BackendChoice.automatic
        /// The number of threads to compute with; nil for one per available core.
        public var threads: Int?
        /// The number of the model's last layers that go to a device with memory of its own. The other layers stay on the
        /// processor. The whole model has one layer more than blocks. Nil for as many layers as there is room for, beside
        /// ``sessionCount`` sessions.
        public var gpuLayers: Int?
        /// The options of the sessions for which memory of the device is reserved. More sessions may be made as long as there is
        /// memory.
        public var session = Session.Options(drafter: .none)
        /// The number of sessions for which memory is reserved.
        public var sessionCount = 1
        /// A template for conversations instead of the model's; nil for the model's.
        public var chatTemplate: ChatTemplate.Source?
        /// The processor's kernels: those of an instruction set, or the scalar ones; for measurements and checks.
        package var kernels = KernelChoice.automatic
        /// The maximum number of bytes of the device's memory to use; for checks.
        package var deviceByteLimit: Int?

        /// The fastest device, all cores.
        public init(backend: BackendChoice = .automatic, threads: Int? = nil, gpuLayers: Int? = nil) {
            self.backend = backend
            self.threads = threads
            self.gpuLayers = gpuLayers
        }
    }

    /// The figures of the model by its file.
    public let summary: Summary
    /// Turns text into the model's tokens and back.
    public let tokenizer: Tokenizer
    /// The model's chat template, or the error if it cannot be used.
    public let chatTemplate: Result<ChatTemplate, InferenceError>
    /// The text of the chat template; nil if there is none, or if it is written in Swift.
    public var chatTemplateText: String? { (try? chatTemplate.get())?.source }
    /// The model's hyper-parameters.
    package let configuration: Configuration
    /// The forward pass and its weights, and what uses them.
    private let content: Mutex<Content>
    /// The bytes of the mapped file or files.
    let fileByteCount: Int
    /// How much of it is on a device with memory of its own; nil where the processor has all.
    public let deviceLayers: DeviceLayers?
    /// Runs the steps of all sessions, one at a time: a step uses the whole device.
    let executor = InferenceExecutor()
    /// The grammars that answers follow, over the tokens of ``tokenizer``.
    let grammars: GrammarTable
    /// How ``chatTemplate`` writes calls of tools: nil until it was learned, then the form or that there is none.
    let callForm = Mutex<CallForm??>(nil)
    /// The repositories that sessions draft from.
    let repositories = RepositoryTable()

    /// Loads the model at `path`, a GGUF file or the first of a split model's files.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - options: The device and the number of threads.
    ///   - progress: Called with the share of the work done, from 0 to 1, while the weights are prepared.
    /// - Throws: ``InferenceError``: `unreadableFile`, `malformedModel`, one of the `unsupported…` codes, `unavailableDevice`,
    ///   `outOfMemory` if the device has no room for the requested number of layers, or `cancelled` if the task is cancelled.
    public init(
        contentsOf path: String, options: Options = .init(), progress: (@Sendable (Double) -> Void)? = nil
    ) throws(InferenceError) {
        if let threads = options.threads, threads < 1 {
            throw InferenceError(.invalidArgument, "the number of threads is \(threads), but must be at least 1")
        }
        let file = try GGUFFile(path: path)
        summary = try Summary(of: file)
        tokenizer = try Tokenizer(metadata: file.metadata)
        grammars = GrammarTable(tokenizer)
        if let source = options.chatTemplate {
            chatTemplate = .success(try ChatTemplate(source, tokenizer: tokenizer))
        } else {
            do throws(InferenceError) {
                chatTemplate = .success(try ChatTemplate(metadata: file.metadata, tokenizer: tokenizer))
            } catch {
                chatTemplate = .failure(error)
            }
        }
        let (transformer, layers) = try options.load(file) { share throws(InferenceError) in
            if Task.isCancelled { throw InferenceError(.cancelled, "\(path): the loading was cancelled") }
            progress?(share)
        }
        deviceLayers = layers
        configuration = transformer.configuration
        fileByteCount = file.byteCount
        content = Mutex(Content(transformer: transformer))
    }

    /// A new session, without tokens.
    ///
    /// - Throws: ``InferenceError``: `outOfMemory`, `invalidArgument` for a context length that is out of range, or an error of
    ///   the drafter.
    public func makeSession(_ options: Session.Options = .init()) throws(InferenceError) -> Session {
        try Session(self, options)
    }

    /// The bytes that ``makeSession(_:)`` allocates with these options, in addition to those of the model. The first session also
    /// allocates the workspace that the steps of all sessions share. The first draft that is checked takes more: 4 bytes for each
    /// token of the vocabulary and each row, up to 64 rows.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for a context length that is out of range.
    public func memoryEstimate(for options: Session.Options = .init()) throws(InferenceError) -> Int {
        let (capacity, transformer) = (try options.contextLength(of: self), try transformer)
        return transformer.sequenceByteCount(capacity: capacity, cacheType: options.cacheType)
            + transformer.workspaceByteCount(rows: min(capacity, TransformerModel.stepRows))
    }
}

// MARK: Unloading

/// What keeps memory of a model beside its weights.
protocol ModelUser: AnyObject, Sendable {
    /// Frees that memory: the model is unloaded.
    func modelIsUnloaded() async
}

extension Model {
    fileprivate struct Content {
        /// Nil after ``Model/unload()``.
        var transformer: TransformerModel?
        var users: [WeakUser] = []

        struct WeakUser { weak var user: (any ModelUser)? }
    }

    /// The forward pass and its weights.
    ///
    /// - Throws: ``InferenceError`` with `unloaded`.
    package var transformer: TransformerModel {
        get throws(InferenceError) { try content.withLock { content throws(InferenceError) in try loaded(content) } }
    }

    private func loaded(_ content: borrowing Content) throws(InferenceError) -> TransformerModel {
        guard let transformer = content.transformer else {
            throw InferenceError(.unloaded, "the model \(summary.name?.printable ?? summary.architecture) is unloaded")
        }
        return transformer
    }

    /// Notes that `user` has memory of the model.
    ///
    /// - Throws: ``InferenceError`` with `unloaded`.
    func register(_ user: any ModelUser) throws(InferenceError) {
        try content.withLock { content throws(InferenceError) in
            _ = try loaded(content)
            content.users.removeAll { $0.user == nil }
            content.users.append(.init(user: user))
        }
    }

    /// Frees the memory of the model, its sessions and schedulers, which is otherwise freed with the last reference to them. Running
    /// generations end: those of a session throw `unloaded` at their next step, those of a scheduler are cancelled. Whatever uses the model
    /// afterwards throws `unloaded`; its ``summary``, ``tokenizer`` and ``chatTemplate`` stay.
    public func unload() async {
        let users = content.withLock { content in
            content.transformer = nil
            defer { content.users = [] }
            return content.users.compactMap(\.user)
        }
        for user in users { await user.modelIsUnloaded() }
    }
}
