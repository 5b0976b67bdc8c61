// The program: its subcommands, and what becomes of an error.

import ArgumentParser
import InferSupport
import InferTensors

@main
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftinfer",
        abstract: "Runs transformer language models from GGUF files.",
        discussion: """
            MODEL is the path of a .gguf file or a catalogue name such as smollm2-135m-instruct. Text goes to standard \
            output, everything else to standard error.

            Exit status: 0 success, 1 failure, 64 wrong usage, 130 interrupted.
            """,
        version: Version.description,
        groupedSubcommands: [
            CommandGroup(name: "Text", subcommands: [RunCommand.self]),
            CommandGroup(
                name: "Measuring",
                subcommands: [
                    LogprobsCommand.self, PerplexityCommand.self, BenchCommand.self, VerifyExactnessCommand.self,
                ]),
            CommandGroup(
                name: "Making files", subcommands: [QuantizeCommand.self, MakeModelCommand.self, DatastoreCommand.self]),
            CommandGroup(
                name: "Looking inside",
                subcommands: [
                    TokenizeCommand.self, DetokenizeCommand.self, ShowCommand.self, DoctorCommand.self,
                ]),
        ]
    )

    static func main() async {
        Output.reserveStandardStreams()
        Interrupts.shared.start()
        do {
            // Dispatch waits for ever for a thread that the system refuses. Its own, those of Swift's tasks and the one for
            // signals are this many at most.
            _ = try ThreadPool(threads: 8)
            // They come from /proc on Linux, and their first is the program's name.
            guard !CommandLine.arguments.isEmpty else {
                throw InferenceError(.invalidArgument, "the arguments cannot be read; is /proc mounted?")
            }
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    /// Ends the program as `error` says, which may be the wish for help.
    private static func end(with error: any Error) -> Never {
        if let error = error as? InferenceError {
            Output.standardError("swiftinfer: error: \(error)\n")
            exit(withError: ExitCode.failure)
        }
        let status = exitCode(for: error)
        let text = fullMessage(for: error, columns: nil)
        if !text.isEmpty {
            // The library's own printing would not see that help cannot be written.
            if status == .success { Output.standardOutput(text + "\n") } else { Output.standardError(text + "\n") }
        }
        exit(withError: status)
    }
}
