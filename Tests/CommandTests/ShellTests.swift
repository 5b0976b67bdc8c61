// What shells and man show of the commands: help, completion scripts, manual pages. Tools/checks/shell tries them in real shells.

import Foundation
import SwiftInferCommand
import TestSupport
import Testing

struct ShellTests {
    /// The paths of all commands, by the completion script for fish, which has a line for each.
    private func commands() throws -> [[String]] {
        func inner(_ path: [String]) throws -> [[String]] {
            let help = try Command(path + ["--help"]).output
            var names: [String] = []
            var isList = false
            for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasSuffix("SUBCOMMANDS:") { isList = true } else if line.isEmpty { isList = false }
                if isList, line.hasPrefix("  "), let name = line.dropFirst(2).split(separator: " ").first,
                    line.dropFirst(2).first != " "
                {
                    names.append(String(name))
                }
            }
            return try [path] + names.flatMap { try inner(path + [$0]) }
        }
        return try inner([])
    }

    @Test func everyCommandHasAPageAndNarrowHelp() throws {
        let folder = try TemporaryFolder()
        let pages = folder.url.appendingPathComponent("man").path
        #expect(try Command("man", pages).status == 0)
        let commands = try commands()
        #expect(commands.count > 25)
        let names = commands.map { (["swiftinfer"] + $0).joined(separator: "-") + ".1" }
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: pages)) == Set(names))
        for command in commands {
            for line in try Command(command + ["--help"]).output.split(separator: "\n") {
                #expect(line.count <= 80, "\(command): \(line)")
            }
        }
        let page = try String(contentsOfFile: pages + "/swiftinfer-run.1", encoding: .utf8)
        #expect(page.contains("\n.Sh NAME\n.Nm swiftinfer-run\n") && page.contains(#".It Fl \&\-suffix Ar \&text"#))
    }

    @Test func linesOfUsageAreWrapped() {
        let options = (1...9).map { "[--option-\($0) <value> ...]" }
        let lines = HelpText.wrapped("Usage: swiftinfer x \(options.joined(separator: " "))\n\nother").split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count > 4 && lines.suffix(2) == ["", "other"])
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.dropLast(2).dropFirst().allSatisfy { $0.hasPrefix("       [--option-") && $0.hasSuffix("]") })
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completionScriptsKnowCommandsAndOptions(shell: String) throws {
        let script = try Command("completions", shell)
        #expect(script.status == 0)
        for word in ["verify-exactness", "suffix-file", "codeswift"] { #expect(script.output.contains(word)) }
        #expect(try Command("completions", "tcsh").status == 64)
    }

    @Test func modelsAreCompleted() throws {
        let folder = try TemporaryFolder()
        let models = folder.url.appendingPathComponent("models/o/r")
        try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Fixture.llama, toPath: models.appendingPathComponent("mine-Q8_0.gguf").path)
        let start = Fixture.llama.dropLast(5)
        let arguments = [
            "---completion", "show", "--", "positional@0", "2", "\(start.count)", "swiftinfer", "show", String(start),
        ]
        let run = try Command(
            arguments, environment: ["SWIFTINFER_MODELS": folder.url.appendingPathComponent("models").path])
        let words = run.output.split(separator: "\n").map(String.init)
        #expect(Set(words).isSuperset(of: ["mine-Q8_0", "smollm2-135m-instruct", Fixture.llama]))
    }
}
