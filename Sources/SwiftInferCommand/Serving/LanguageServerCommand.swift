// `swiftinfer lsp`: completes code in editors, over standard input and output.

#if Server
import ArgumentParser
import Foundation
import InferSupport
import SwiftInfer
import SwiftInferServer

struct LanguageServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lsp",
        abstract: "Complete code in an editor: a language server.",
        discussion: """
            The server speaks LSP 3.18 over standard input and output and answers textDocument/inlineCompletion. \
            Editors start it; messages go to standard error.
            """
    )

    @OptionGroup var model: ModelArgument
    @Option(help: ArgumentHelp("Milliseconds after a key before the model starts.", valueName: "ms"))
    var pause = 60
    // Editors add it to all commands.
    @Flag(name: .customLong("stdio"), help: .hidden) var usesStandardStreams = false
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Engine") var context: ContextOptions
    @OptionGroup(title: "Engine") var drafting: DrafterOptions

    func validate() throws {
        if !(0...60_000).contains(pause) { throw ValidationError("--pause is \(pause), but must be 0 to 60000.") }
    }

    func run() async throws {
        FreedMemory.limit()
        signal(SIGPIPE, SIG_IGN)
        let path = try model.path()
        let (engine, context, sources, choice) = (engine, context, drafting.sources, drafting.drafter)
        let usesGivenFolder = sources.repository != nil
        var options = LanguageServer.Options {
            let loaded = try engine.load(path, for: context.options, count: 1, progress: { _ in }).model
            var scheduling = Scheduler.Options()
            scheduling.sequences = 1
            scheduling.contextLength = context.context
            scheduling.cacheType = context.kvType
            return try Scheduler(loaded, options: scheduling)
        } drafter: { root in
            var sources = sources
            // The workspace is what the user works on.
            if !usesGivenFolder, let root { sources.repository = root }
            return sources.applied(to: choice)
        }
        options.version = Version.number
        options.sampling = sampling.options
        options.pause = .milliseconds(pause)
        let output = FileHandle.standardOutput
        let server = LanguageServer(options) { try? output.write(contentsOf: MessageStream.frame($0)) }
        let messages = MessageStream.messages(from: STDIN_FILENO) { error in
            Output.standardError("swiftinfer: error: \(error.message)\n")
        }
        for await message in messages {
            if let status = await server.receive(message) { Foundation.exit(status) }
        }
        // The editor is gone.
        Foundation.exit(1)
    }
}
#endif
