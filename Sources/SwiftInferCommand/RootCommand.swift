// The program: its subcommands, its version, and the reporting of errors.

import ArgumentParser
import InferSupport
import InferTensors

@main
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftinfer",
        abstract: "Runs transformer language models from GGUF files.",
        discussion: """
            MODEL is the path of a .gguf file or the name of a model such as smollm2-135m-instruct, which pull fetches. Text \
            goes to standard output, everything else to standard error.

            Exit status: 0 success, 1 failure, 64 wrong usage, 130 interrupted.
            """,
        version: Version.description,
        groupedSubcommands: [
            CommandGroup(
                name: "Text",
                subcommands: [RunCommand.self, InfillCommand.self, EditCommand.self, EmbedCommand.self] + servers),
            CommandGroup(name: "Models", subcommands: [PullCommand.self, ListCommand.self, RemoveCommand.self]),
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
                    TokenizeCommand.self, DetokenizeCommand.self, RenderTemplateCommand.self, ShowCommand.self,
                    DoctorCommand.self, CacheCommand.self,
                ]),
            CommandGroup(name: "Shell", subcommands: [CompletionsCommand.self, ManualCommand.self]),
        ]
    )

    /// The commands that serve others, if the program is built with them.
    private static var servers: [any ParsableCommand.Type] {
        #if Server
        [ServeCommand.self, LanguageServerCommand.self]
        #else
        []
        #endif
    }

    static func main() async {
        Output.reserveStandardStreams()
        Interrupts.shared.start()
        do {
            // Dispatch waits forever for a thread that the system refuses, so test first whether threads can be started. Dispatch,
            // Swift's tasks and the signal handler need this many at most.
            _ = try ThreadPool(threads: 8)
            // Arguments come from /proc on Linux. The first is the program's name.
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

    /// Ends the program with the message and status of `error`, which can also be a request for help.
    private static func end(with error: any Error) -> Never {
        if let error = error as? InferenceError {
            Output.standardError("swiftinfer: error: \(error)\n")
            exit(withError: ExitCode.failure)
        }
        let status = exitCode(for: error)
        let text = HelpText.wrapped(fullMessage(for: error, columns: nil))
        if !text.isEmpty {
            // ArgumentParser's own printing would not notice that help cannot be written.
            if status == .success { Output.standardOutput(text + "\n") } else { Output.standardError(text + "\n") }
        }
        exit(withError: status)
    }
}

/// The text of help.
package enum HelpText {
    /// The columns of help on a terminal of the usual width.
    private static let columns = 80

    /// `text` with its lines of usage wrapped, which ArgumentParser leaves as long as they are. An option and its value stay on one line.
    package static func wrapped(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard line.count > columns, let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "usage"
            else {
                return String(line)
            }
            let indent = String(repeating: " ", count: "Usage: ".count)
            var lines = [""]
            for part in parts(of: line) {
                let last = lines[lines.count - 1]
                if last.isEmpty {
                    lines[lines.count - 1] = part
                } else if last.count + 1 + part.count <= columns {
                    lines[lines.count - 1] += " " + part
                } else {
                    lines.append(indent + part)
                }
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// The words of a line; brackets are not split.
    private static func parts(of line: Substring) -> [String] {
        var (parts, depth): ([String], Int) = ([], 0)
        for word in line.split(separator: " ") {
            if depth > 0 { parts[parts.count - 1] += " " + word } else { parts.append(String(word)) }
            depth += word.count { "[<".contains($0) } - word.count { "]>".contains($0) }
        }
        return parts
    }
}

/// The version of the program and how it was built.
enum Version {
    /// The semantic version of the program.
    static let number = "0.2.0"

    /// Version, platform and optimisation, such as `swiftinfer 0.2.0 (Linux x86_64, release)`.
    static var description: String { "swiftinfer \(number) (\(platform) \(architecture), \(configuration))" }

    private static var platform: String {
        #if os(Linux)
        "Linux"
        #elseif os(macOS)
        "macOS"
        #else
        "unknown system"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
        "x86_64"
        #elseif arch(arm64)
        "arm64"
        #else
        "unknown processor"
        #endif
    }

    /// `debug` or `release`.
    static var configuration: String {
        #if DEBUG
        "debug"
        #else
        "release"
        #endif
    }
}
