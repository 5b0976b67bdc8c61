// Manual pages, made of the definitions of the commands.

import ArgumentParser
import Foundation
import InferSupport

/// The manual page of a command in the language mdoc(7).
struct ManualPage {
    /// The name, such as `swiftinfer-run`.
    let name: String
    /// The page.
    let text: String

    /// The pages of all commands.
    ///
    /// - Throws: An error of decoding if the argument parser describes commands in another way than expected.
    static func all() throws -> [ManualPage] {
        // The parser's description of the commands for other programs, which `--experimental-dump-help` prints.
        let description = try JSONDecoder().decode(Description.self, from: Data(RootCommand._dumpHelp().utf8))
        return pages(description.command, within: [])
    }

    private static func pages(_ command: Command, within outer: [String]) -> [ManualPage] {
        let path = outer + [command.commandName]
        let others = (command.subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false }
        return [ManualPage(command, path: path, others: others)] + others.flatMap { pages($0, within: path) }
    }

    private init(_ command: Command, path: [String], others: [Command]) {
        name = path.joined(separator: "-")
        let arguments = (command.arguments ?? []).filter { $0.shouldDisplay != false }
        var lines = [
            ".Dd \(Self.date)", ".Dt \(name.uppercased()) 1", ".Os swiftinfer \(Version.number)", ".Sh NAME",
            ".Nm \(name)",
            ".Nd \(Self.escaped(Self.heading(command.abstract ?? "")))", ".Sh SYNOPSIS",
            ".Nm \(path.joined(separator: " "))",
        ]
        if !others.isEmpty { lines.append(".Ar command") }
        lines += arguments.map(\.synopsis)
        if let discussion = command.discussion { lines += [".Sh DESCRIPTION"] + Self.paragraphs(discussion) }
        var sections: [(title: String, arguments: [Argument])] = []
        for argument in arguments {
            let title = argument.sectionTitle ?? (argument.kind == "positional" ? "arguments" : "options")
            if let index = sections.firstIndex(where: { $0.title == title }) {
                sections[index].arguments.append(argument)
            } else {
                sections.append((title, [argument]))
            }
        }
        for (title, arguments) in sections {
            lines += [".Sh \(Self.escaped(title.uppercased()))", ".Bl -tag -width Ds"]
            for argument in arguments { lines += [".It " + argument.heading] + argument.explanation }
            lines.append(".El")
        }
        if !others.isEmpty {
            lines += [".Sh COMMANDS", ".Bl -tag -width Ds"]
            for other in others {
                lines += [".It Xr \(name)-\(other.commandName) 1"] + Self.paragraphs(other.abstract ?? "")
            }
            lines.append(".El")
        }
        lines += [
            ".Sh EXIT STATUS", "0 after success, 1 after a failure, 64 after wrong usage, 130 after an interruption.",
        ]
        if path.count > 1 { lines += [".Sh SEE ALSO", ".Xr \(path.dropLast().joined(separator: "-")) 1"] }
        text = lines.joined(separator: "\n") + "\n"
    }

    /// Today, as pages have it: `November 30, 2026`.
    private static let date: String = {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "MMMM d, yyyy"
        return formatter.string(from: Date())
    }()

    // MARK: Text

    /// The abstract as the line after the name: it has no full stop at its end.
    private static func heading(_ abstract: String) -> String {
        abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
    }

    /// Lines of text. Lines that begin with blanks, or are part of a table, keep their form.
    fileprivate static func paragraphs(_ text: String) -> [String] {
        var lines: [String] = []
        for paragraph in text.components(separatedBy: "\n\n") {
            if !lines.isEmpty { lines.append(".Pp") }
            let parts = paragraph.split(separator: "\n").map(String.init)
            if parts.count > 1, parts.contains(where: { $0.contains("  ") }) {
                // The list has a blank line above it.
                if lines.last == ".Pp" { lines.removeLast() }
                lines += [".Bd -literal -offset indent"] + parts.map(escaped) + [".Ed"]
            } else {
                lines += parts.flatMap(sentences).map(escaped)
            }
        }
        return lines
    }

    /// The sentences of a text: each begins a line, so that the blanks between them are as wide as the form of output wants.
    private static func sentences(_ text: String) -> [String] {
        var sentences: [String] = []
        var words: [Substring] = []
        for word in text.split(separator: " ") {
            words.append(word)
            if let last = word.last(where: { !")]\"'".contains($0) }), ".!?".contains(last) {
                sentences.append(words.joined(separator: " "))
                words = []
            }
        }
        return words.isEmpty ? sentences : sentences + [words.joined(separator: " ")]
    }

    /// Text without the characters that have a meaning in the language.
    fileprivate static func escaped(_ text: String) -> String {
        let text = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }

    /// A word in the argument of a macro.
    fileprivate static func word(_ text: String) -> String {
        let text = escaped(text).replacing("\"", with: "\\(dq")
        // Names of macros, and punctuation that stands alone, would be read as such.
        return text.contains(" ") ? "\"\(text)\"" : "\\&" + text
    }

    // MARK: Definitions

    private struct Description: Decodable {
        let command: Command
    }

    /// A command.
    private struct Command: Decodable {
        let commandName: String
        let abstract: String?
        let discussion: String?
        let shouldDisplay: Bool?
        let subcommands: [Command]?
        let arguments: [Argument]?
    }

    /// An argument, option or flag.
    private struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String

            var text: String { (kind == "long" ? "--" : "-") + name }
        }

        let kind: String
        let shouldDisplay: Bool?
        let sectionTitle: String?
        let isOptional: Bool
        let isRepeating: Bool
        let names: [Name]?
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
        let allValues: [String]?
        let abstract: String?

        /// The line in the synopsis.
        var synopsis: String {
            let value = ManualPage.word(valueName ?? "value")
            let text =
                switch kind {
                case "positional": "Ar \(value)"
                case "flag": flag(preferredName)
                default: flag(preferredName) + " Ar \(value)"
                }
            let repeated = isRepeating ? text + " ..." : text
            return isOptional ? ".Op " + repeated : "." + repeated
        }

        /// The line above the explanation.
        var heading: String {
            let value = " Ar " + ManualPage.word(valueName ?? "value")
            guard kind != "positional" else { return String(value.dropFirst()) }
            let flags = (names ?? []).map(flag).joined(separator: " , ")
            return kind == "flag" ? flags : flags + value
        }

        /// What it means.
        var explanation: [String] {
            var text = abstract ?? ""
            if let allValues, !allValues.isEmpty, kind != "flag" {
                text += (text.isEmpty ? "" : " ") + "One of \(allValues.joined(separator: ", "))."
            }
            if let defaultValue, kind != "flag" { text += (text.isEmpty ? "" : " ") + "Default: \(defaultValue)." }
            return text.isEmpty ? [] : ManualPage.paragraphs(text)
        }

        /// `Fl` takes the name without the first dash.
        private func flag(_ name: Name?) -> String { "Fl " + ManualPage.word(String((name?.text ?? "").dropFirst())) }
    }
}
