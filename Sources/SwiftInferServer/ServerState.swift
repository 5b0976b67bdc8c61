// What the handlers of all requests share: the model, the scheduler, and whether the server takes requests.

#if Server

import HTTPTypes
import InferSupport
import Logging
import SwiftInfer
import Synchronization

/// The state of a server. The model comes while it already listens.
final class ServerState: Sendable {
    private enum Phase {
        case loading(progress: Double)
        case ready(ServedModel)
        case draining(ServedModel?)
    }

    let options: InferenceServer.Options
    let access: Access
    let connections: Connections
    let metrics = Metrics()
    let logger: Logger
    /// When the server started, in seconds of Unix time.
    let startTime = UnixTime.now
    private let phase = Mutex(Phase.loading(progress: 0))

    init(_ options: InferenceServer.Options, connections: Connections, logger: Logger) {
        self.options = options
        self.connections = connections
        self.logger = logger
        access = Access(options)
    }

    /// Notes that the share `progress` of the model is loaded.
    func noteProgress(_ progress: Double) {
        phase.withLock { if case .loading = $0 { $0 = .loading(progress: progress) } }
    }

    /// Serves `model` from now on.
    func begin(with model: Model) throws(InferenceError) {
        let served = ServedModel(
            model: model, scheduler: try Scheduler(model, options: options.scheduling), options: options)
        phase.withLock {
            if case .loading = $0 { $0 = .ready(served) }
        }
        logger.info("the model is loaded", metadata: ["model": "\(options.modelName)"])
    }

    /// The model.
    ///
    /// - Throws: ``APIError`` with 503 while it is loading, and when the server shuts down.
    func model() throws(APIError) -> ServedModel {
        switch phase.withLock({ $0 }) {
        case .ready(let model): return model
        case .draining: throw .unavailable("the server is shutting down")
        case .loading(let progress):
            var error = APIError.unavailable("Loading model")
            error.details = ["progress": .number(progress)]
            throw error
        }
    }

    /// Takes no further requests.
    func beginDraining() {
        phase.withLock {
            if case .ready(let model) = $0 { $0 = .draining(model) }
            if case .loading = $0 { $0 = .draining(nil) }
        }
    }

    /// Ends the running generations.
    func stop() {
        beginDraining()
        if case .draining(let model) = phase.withLock({ $0 }) { model?.scheduler.stop() }
    }
}

/// A loaded model and what runs it.
struct ServedModel: Sendable {
    let model: Model
    let scheduler: Scheduler
    let options: InferenceServer.Options

    var tokenizer: Tokenizer { model.tokenizer }
    /// The name in answers.
    var name: String { options.modelName }

    /// The choice of drafter for the request's field `drafter`.
    func drafter(_ request: RequestReader, owner: String) throws(APIError) -> DrafterChoice {
        let name = try request.string("drafter")
        guard let choice = options.drafter(name, owner) else {
            let names = DrafterChoice.all.map(\.description).joined(separator: ", ")
            throw request.error("drafter", "is '\((name ?? "").printable)', but must be one of \(names)")
        }
        return choice
    }

    /// Refuses a name in the request's field `model` that is not the model's, if the options say so.
    func checkName(_ request: RequestReader) throws(APIError) {
        guard let given = try request.string("model"), options.requiresModelName, given != name else { return }
        throw APIError(
            .notFound, "the model '\(given.printable)' does not exist; this server has '\(name)'", field: "model",
            code: "model_not_found")
    }
}

#endif
