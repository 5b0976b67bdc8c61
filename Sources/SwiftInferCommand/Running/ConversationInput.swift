// What is typed in a conversation: messages and commands.

/// A command of the conversation.
package enum ConversationCommand: String, CaseIterable {
    case help, clear, regen, undo, read, files, system, set, show, save, load, stats, exit

    /// Other names, from other programs.
    var aliases: [String] {
        switch self {
        case .help: ["?", "h", "commands"]
        case .clear: ["reset", "new", "forget"]
        case .regen: ["retry", "regenerate", "again"]
        case .undo: ["back"]
        case .read: ["file", "attach", "add"]
        case .files: ["glob"]
        case .system: []
        case .set: []
        case .show: ["info", "model", "settings"]
        case .save: ["export"]
        case .load: ["import", "restore"]
        case .stats: ["timings", "tokens"]
        case .exit: ["bye", "quit", "q", "x"]
        }
    }

    /// What stands after the name.
    var argument: String {
        switch self {
        case .read, .save, .load: "FILE"
        case .files: "GLOB"
        case .system: "[TEXT|off]"
        case .set: "[NAME VALUE]"
        default: ""
        }
    }

    /// What the command does.
    var summary: String {
        switch self {
        case .help: "this list"
        case .clear: "forget the conversation"
        case .regen: "answer the last question again"
        case .undo: "take back the last question and its answer"
        case .read: "put a file before the next question"
        case .files: "the same with all files that match, such as Sources/*.swift"
        case .system: "show, set or remove the system message"
        case .set: "change a setting, such as temperature 0.5; alone: list them"
        case .show: "the model, the context, the settings"
        case .save: "write the conversation to a file"
        case .load: "go on with a saved conversation"
        case .stats: "times of the last answer"
        case .exit: "leave (also Ctrl-D)"
        }
    }

    /// The list of commands and keys.
    package static var helpText: String {
        let names = allCases.map { "/\($0.rawValue) \($0.argument)" }
        let width = names.map(\.count).max() ?? 0
        let lines = zip(names, allCases).map { name, command in
            name + String(repeating: " ", count: width - name.count + 1) + command.summary + "\n"
        }
        return lines.joined() + """

            Several lines: paste them, end a line with a backslash, press Alt-Return, or put
            them between \"\"\". Tab completes commands and paths. Up and Ctrl-R find
            earlier texts. Ctrl-C stops an answer, drops what is typed, and leaves at an
            empty prompt.

            """
    }
}

/// A text that was typed in a conversation, and what it means.
package enum ConversationInput: Equatable {
    /// Nothing but blanks.
    case nothing
    /// A message to the model.
    case message(String)
    /// A command with what stands after it.
    case command(ConversationCommand, argument: String)
    /// A name of no command.
    case unknown(String)

    /// Words that leave without a slash, as in other programs.
    private static let exits: Set = ["exit", "quit", ":q", ":q!", ":wq", "exit()", "quit()"]

    /// Reads a text.
    package init(_ text: String) {
        let trimmed = text.trimmingBlanks
        if trimmed.isEmpty {
            self = .nothing
        } else if Self.exits.contains(trimmed) {
            self = .command(.exit, argument: "")
        } else if let name = Self.name(in: trimmed) {
            let argument = String(trimmed.dropFirst(name.count + 1)).trimmingBlanks
            let command = ConversationCommand.allCases.first { $0.rawValue == name || $0.aliases.contains(name) }
            self = command.map { .command($0, argument: argument) } ?? .unknown("/\(name)")
        } else {
            self = .message(text)
        }
    }

    /// The name after a slash; nil for a path or a comment.
    private static func name(in text: String) -> String? {
        guard text.hasPrefix("/") else { return nil }
        let name = text.dropFirst().prefix { !$0.isWhitespace }
        guard name == "?" || !name.isEmpty && name.allSatisfy({ $0.isLetter }) else { return nil }
        return name.lowercased()
    }
}

extension String {
    /// The text without blanks and line breaks at its beginning and its end.
    package var trimmingBlanks: String {
        let start = drop(while: \.isWhitespace)
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
