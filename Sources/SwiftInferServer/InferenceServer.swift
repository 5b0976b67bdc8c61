// The server: its options, its start, and its end.

#if Server

import Foundation
import HTTPTypes
import Hummingbird
import InferSupport
public import Logging
import NIOCore
import ServiceLifecycle
public import SwiftInfer
import UnixSignals

/// A server over HTTP for one model.
///
/// It listens before the model is loaded, and answers 503 until then. Every request names its own sampling; the bits of an
/// answer depend neither on other requests nor on drafting.
public struct InferenceServer: Sendable {
    /// Options of a server. The defaults are safe for a machine that others share.
    public struct Options: Sendable {
        /// The address to listen on. Others than loopback need a key, or ``allowsOpenAccess``.
        public var host = "127.0.0.1"
        /// The port; 0 for any free one.
        public var port = 8012
        /// The keys of which every request but one for `/health` and the page has to show one. Each key has prefixes and draft
        /// memory of its own.
        public var keys: [String] = []
        /// Whether everybody may use a server that others can reach. Only for networks where everybody is trusted.
        public var allowsOpenAccess = false
        /// Further names of the server, as in the `Host` header, without port.
        public var allowedHosts: [String] = []
        /// Origins of web pages that may call the server, such as `https://tools.example`. The server's own may.
        public var allowedOrigins: [String] = []
        /// The name of the model in requests and answers.
        public var modelName: String
        /// Whether `/v1` refuses requests for models of other names. Editors send many names, so the default is no.
        public var requiresModelName = false
        /// The name of the repository in prompts for a gap; nil for none.
        public var repositoryName: String?
        /// What a request leaves open.
        public var sampling = SamplingOptions()
        /// How many sequences run at once, and how long each can be.
        public var scheduling = Scheduler.Options()
        /// The drafter of a request: by its name, or the default one for nil; and by the owner, whose memory it uses. Returns nil
        /// for an unknown name.
        public var drafter: @Sendable (_ name: String?, _ owner: String) -> DrafterChoice? = { name, _ in
            name.map { name in DrafterChoice.all.first { $0.description == name } } ?? .codeSwift()
        }
        /// Whether the log contains prompts and answers.
        public var logsPrompts = false
        /// Limits on connections and requests.
        public var limits = Limits()
        /// The version that the server reports.
        public var version = "0"

        /// The options of a server for the model `modelName`.
        public init(modelName: String) { self.modelName = modelName }
    }

    /// Limits on connections and requests.
    public struct Limits: Sendable {
        /// The size of a body in bytes.
        public var bodyBytes = 4 << 20
        /// The size of all headers in bytes.
        public var headerBytes = 32 << 10
        /// The number of headers.
        public var headerCount = 100
        /// The size of a path with its query in bytes.
        public var pathBytes = 8 << 10
        /// The time for the headers of a connection's first request.
        public var headerTime = Duration.seconds(10)
        /// The time for a body.
        public var bodyTime = Duration.seconds(30)
        /// The time between two requests of a connection.
        public var idleTime = Duration.seconds(15)
        /// The time that a client may leave what is sent to it unread.
        public var stallTime = Duration.seconds(30)
        /// The number of connections.
        public var connections = 256
        /// The number of connections from one address.
        public var connectionsPerAddress = 32
        /// The time after which running requests end when the server shuts down.
        public var drainTime = Duration.seconds(30)
        /// The time without an event after which a stream gets a comment.
        public var pingTime = Duration.seconds(10)

        /// The default limits.
        public init() {}
    }

    let options: Options
    let logger: Logger
    private let load: @Sendable (_ progress: @escaping @Sendable (Double) -> Void) throws -> Model

    /// A server that has not started.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - logger: Where the log goes.
    ///   - load: Loads the model. It is called once, on a thread of its own, and reports the share of the work that is done.
    /// - Throws: ``InferenceError`` with `invalidArgument` if everybody could use the server without a key.
    public init(
        _ options: Options, logger: Logger,
        load: @escaping @Sendable (_ progress: @escaping @Sendable (Double) -> Void) throws -> Model
    ) throws(InferenceError) {
        guard Access.isLoopback(options.host) || !options.keys.isEmpty || options.allowsOpenAccess else {
            throw InferenceError(
                .invalidArgument,
                "others can reach \(options.host): give a key with --api-key, or --allow-open-access where everybody is trusted"
            )
        }
        guard options.keys.allSatisfy({ $0.utf8.count >= 8 }) else {
            throw InferenceError(.invalidArgument, "a key has fewer than 8 characters")
        }
        self.options = options
        self.logger = logger
        self.load = load
    }

    /// Runs the server until the task is cancelled, or with `handlesSignals` until SIGTERM or SIGINT.
    ///
    /// At the first signal the server takes no further requests and lets the running ones end, within ``Limits/drainTime``. The
    /// second signal ends the program at once.
    ///
    /// - Parameters:
    ///   - handlesSignals: Whether signals end the server.
    ///   - onListening: Called with the port when the server listens.
    /// - Throws: An error of binding the address, or of loading the model.
    public func run(
        handlesSignals: Bool = false, onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) async throws {
        let connections = Connections(options.limits)
        let state = ServerState(options, connections: connections, logger: logger)
        let application = Application(
            router: Self.router(state),
            server: .http1(configuration: connections.channelConfiguration),
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port), serverName: "swiftinfer"),
            services: [ModelLoader(state: state, load: load)],
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) }, logger: quietLogger)
        var configuration = ServiceGroupConfiguration(services: [application], logger: quietLogger)
        configuration.maximumGracefulShutdownDuration = options.limits.drainTime + .seconds(5)
        let group = ServiceGroup(configuration: configuration)
        defer { state.stop() }
        guard handlesSignals else {
            try await group.run()
            return
        }
        let signals = Task {
            var isEnding = false
            for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                if isEnding { _exit(signal == .sigint ? 130 : 143) }
                isEnding = true
                logger.info("shutting down", metadata: ["signal": "\(signal)"])
                state.beginDraining()
                await group.triggerGracefulShutdown()
                Task {
                    try? await Task.sleep(for: options.limits.drainTime)
                    state.stop()
                }
            }
        }
        defer { signals.cancel() }
        try await group.run()
    }

    /// A logger for the frameworks, which report every connection otherwise.
    private var quietLogger: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }

    /// All routes.
    static func router(_ state: ServerState) -> Router<RequestInfo> {
        let router = Router(context: RequestInfo.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Gate(state: state))
        Page.addRoutes(to: router)
        LlamaServer(state: state).addRoutes(to: router)
        ServerStatus(state: state).addRoutes(to: router)
        OpenAICompletions(state: state).addRoutes(to: router)
        OpenAIChat(state: state).addRoutes(to: router)
        OpenAIResponses(state: state).addRoutes(to: router)
        EmbeddingRoutes(state: state).addRoutes(to: router)
        Ollama(state: state).addRoutes(to: router)
        refuseOtherMethods(of: router)
        return router
    }

    /// Answers 405 to requests of a known path by another method.
    private static func refuseOtherMethods(of router: Router<RequestInfo>) {
        for (path, routes) in Dictionary(grouping: router.routes, by: { "\($0.path)" }) {
            // The router adds HEAD to GET when it starts.
            let known = routes.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
            let allowed = known.map(\.rawValue).sorted().joined(separator: ", ")
            for method in [.get, .head, .post, .put, .patch, .delete] as [HTTPRequest.Method]
            where !known.contains(method) {
                router.on(RouterPath(path), method: method) { request, _ -> Response in
                    let error = APIError(
                        .methodNotAllowed, "\(request.uri.path.printable) takes \(allowed)", code: "method_not_allowed")
                    var response = error.response(ollama: request.uri.path.hasPrefix("/api/"))
                    response.headers[.allow] = allowed
                    return response
                }
            }
        }
    }
}

/// Loads the model while the server already listens.
private struct ModelLoader: Service {
    let state: ServerState
    let load: @Sendable (_ progress: @escaping @Sendable (Double) -> Void) throws -> Model

    func run() async throws {
        let (results, continuation) = AsyncStream<Result<Model, any Error>>.makeStream()
        let load = load
        let state = state
        Thread.detachNewThread {
            continuation.yield(Result { try load { state.noteProgress($0) } })
            continuation.finish()
        }
        for await result in results.cancelOnGracefulShutdown() { try state.begin(with: result.get()) }
        try? await gracefulShutdown()
    }
}

#endif
