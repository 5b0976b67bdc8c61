// `swiftinfer serve`: answers requests over HTTP.

#if Server
import ArgumentParser
import Foundation
import InferCatalogue
import InferSupport
import Logging
import SwiftInfer
import SwiftInferServer

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer requests over HTTP.",
        discussion: """
            The interfaces are those of OpenAI (/v1/completions, also with a suffix, /v1/chat/completions, \
            /v1/responses), of llama.cpp's server (/completion, /infill and others) and of Ollama (/api/generate, \
            /api/chat). There is a page for trying it at /.

            The server listens before the model is loaded; GET /health is 200 when it is. SIGTERM lets running requests \
            end first; a second one ends the program at once.
            """
    )

    @OptionGroup var model: ModelArgument

    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Port to listen on; 0: any free one.", valueName: "n"))
    var port = 8012

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A key that requests have to show; may be given several times. Each key has its own caches.",
            valueName: "key"))
    var apiKey: [String] = []

    @Option(help: ArgumentHelp("A file with one key in each line.", valueName: "path"), completion: .file())
    var apiKeyFile: String?

    @Flag(help: "Serve everybody who can reach the address, without keys.")
    var allowOpenAccess = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A further name of this server in requests; may be given several times.", valueName: "name"))
    var allowHost: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "An origin, such as https://tools.example, whose web pages may call the server; may be given several times.",
            valueName: "origin"))
    var allowOrigin: [String] = []

    @Option(
        help: ArgumentHelp("The model's name in requests and answers (default: the file's).", valueName: "name"))
    var alias: String?

    @Flag(help: "Refuse requests to /v1 for a model of another name.")
    var strictModel = false

    @Option(help: ArgumentHelp("Number of sequences that run at once.", valueName: "n"))
    var slots = 4

    @Option(help: ArgumentHelp("Number of requests that may wait for a sequence.", valueName: "n"))
    var queue = 64

    @Option(help: ArgumentHelp("Memory for the state of ended sequences, in MiB.", valueName: "n"))
    var parkedMib = 1024

    @Option(
        help: ArgumentHelp(
            "Number of connections from one address; more behind a proxy, whose address all clients share.",
            valueName: "n"))
    var connectionsPerAddress = 32

    @OptionGroup var template: TemplateOptions

    @Flag(help: "Write prompts to the log.")
    var logPrompts = false

    @OptionGroup(title: "Sampling, where a request says nothing") var sampling: SamplingArguments
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Engine") var context: ContextOptions
    @OptionGroup(title: "Engine") var drafting: DrafterOptions

    func validate() throws {
        if !(0...65535).contains(port) { throw ValidationError("--port is \(port), but must be 0 to 65535.") }
        if slots < 1 { throw ValidationError("--slots is \(slots), but must be at least 1.") }
        if !(1...1 << 16).contains(connectionsPerAddress) {
            throw ValidationError("--connections-per-address must be 1 to 65536.")
        }
        if queue < 0 { throw ValidationError("--queue is \(queue), but must be 0 or more.") }
        if !(0...(1 << 24)).contains(parkedMib) {
            throw ValidationError("--parked-mib is \(parkedMib), but must be 0 to \(1 << 24).")
        }
    }

    func run() async throws {
        FreedMemory.limit()
        // What requests leave free between blocks in use would add up.
        let trims = Task { while (try? await Task.sleep(for: .seconds(10))) != nil { FreedMemory.giveBack() } }
        defer { trims.cancel() }
        // A client that goes away must not end the program.
        signal(SIGPIPE, SIG_IGN)
        let path = try model.path()
        let options = try serverOptions(path)
        var logger = Logger(label: "swiftinfer") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .info
        let session = context.options
        let engine = engine
        let slots = slots
        let template = try template.source()
        let server = try InferenceServer(options, logger: logger) { progress in
            try engine.load(path, for: session, count: slots, chatTemplate: template, progress: progress).model
        }
        let host = host.contains(":") ? "[\(host)]" : host
        try await server.run(handlesSignals: true) { port in
            Output.standardError("listening on http://\(host):\(port)\n")
        }
    }

    private func serverOptions(_ path: String) throws(InferenceError) -> InferenceServer.Options {
        var options = InferenceServer.Options(modelName: alias ?? Catalogue.name(ofFile: path))
        options.host = host
        options.port = port
        options.keys = apiKey + (try keysInFile())
        options.allowsOpenAccess = allowOpenAccess
        options.allowedHosts = allowHost
        options.allowedOrigins = allowOrigin
        options.requiresModelName = strictModel
        options.repositoryName = drafting.sources.repository.map {
            URL(filePath: $0).standardizedFileURL.lastPathComponent
        }
        options.sampling = sampling.options
        options.scheduling.sequences = slots
        options.scheduling.contextLength = context.context
        options.scheduling.cacheType = context.kvType
        options.scheduling.maximumWaiting = queue
        options.scheduling.parkedByteLimit = parkedMib << 20
        options.limits.connectionsPerAddress = connectionsPerAddress
        options.limits.connections = max(options.limits.connections, connectionsPerAddress)
        options.logsPrompts = logPrompts
        options.version = Version.number
        let (sources, standard) = (drafting.sources, drafting.drafter)
        // What one key wrote must not speed up another: with several keys nothing is kept in files.
        let remembers = options.keys.count <= 1
        options.drafter = { name, _ in
            let drafter = name.map { name in DrafterChoice.all.first { $0.description == name } } ?? standard
            return drafter.map { sources.applied(to: $0, remembers: remembers) }
        }
        return options
    }

    private func keysInFile() throws(InferenceError) -> [String] {
        guard let apiKeyFile else { return [] }
        let text = String(decoding: try InputText.file(apiKeyFile), as: UTF8.self)
        let keys = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
            .filter { !$0.isEmpty }
        guard !keys.isEmpty else {
            throw InferenceError(
                .invalidArgument, "\(apiKeyFile) has no keys; without keys, leave --api-key-file out")
        }
        return keys
    }
}
#endif
