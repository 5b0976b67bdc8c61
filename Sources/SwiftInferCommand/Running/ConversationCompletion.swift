// Completion of commands, settings and paths by Tab.

import Foundation
import InferSupport

/// Completes what is typed in a conversation.
package enum ConversationCompletion {
    /// What the end of `before` can be completed to; nil where Tab is a character of the text.
    ///
    /// - Parameters:
    ///   - before: The text before the cursor.
    ///   - settings: The names of the settings.
    package static func complete(_ before: String, settings: [String]) -> LineEditor.Completion? {
        guard before.hasPrefix("/"), !before.contains("\n") else { return path(inMessage: before) }
        guard let space = before.firstIndex(where: \.isWhitespace) else {
            let names = ConversationCommand.allCases.map { "/\($0.rawValue)" }.filter { $0.hasPrefix(before) }
            return names.isEmpty
                ? path(inMessage: before) : LineEditor.Completion(replaced: before.count, choices: names)
        }
        let argument = String(before[space...].drop(while: \.isWhitespace))
        switch ConversationInput(String(before[..<space])) {
        case .command(.read, _), .command(.files, _), .command(.save, _), .command(.load, _):
            return completion(ofPath: argument)
        case .command(.set, _):
            let words = argument.split(separator: " ", omittingEmptySubsequences: false)
            guard let last = words.last, words.count <= 2 else { return nothing }
            let choices =
                words.count < 2
                ? settings
                : words[0] == "preset" ? SamplingPreset.allCases.map(\.rawValue) : ["on", "off"]
            return LineEditor.Completion(replaced: last.count, choices: choices.filter { $0.hasPrefix(last) })
        case .command: return nothing
        default: return path(inMessage: before)
        }
    }

    private static let nothing = LineEditor.Completion(replaced: 0, choices: [])

    /// Completes a word of a message that looks like a path.
    private static func path(inMessage before: String) -> LineEditor.Completion? {
        let word = before.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
        guard let last = before.last, !last.isWhitespace else { return nil }
        return word.contains("/") || word.hasPrefix("~") || word.hasPrefix(".") ? completion(ofPath: word) : nothing
    }

    /// The files and folders whose paths begin with `path`. Hidden ones have to be begun.
    private static func completion(ofPath path: String) -> LineEditor.Completion {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? ""
        let start = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let place = folder.isEmpty ? "." : Attachments.expanded(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        let choices = names.filter { $0.hasPrefix(start) && ($0.first != "." || start.first == ".") }.sorted()
        return LineEditor.Completion(
            replaced: path.count,
            choices: choices.filter { $0.escaped == $0 }.map { name in
                folder + name + (FileKind(at: "\(place)/\(name)") == .folder ? "/" : "")
            })
    }
}
