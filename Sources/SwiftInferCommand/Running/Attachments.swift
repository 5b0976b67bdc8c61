// The files that go with the next question of a conversation.

import Foundation
import InferCodeSwift
package import InferSupport

/// Files whose texts stand before the next question.
package struct Attachments {
    /// A file.
    package struct File: Equatable {
        /// The path as it was given.
        package let name: String
        package let text: String
    }

    /// The files in the order in which they were given.
    package private(set) var files: [File] = []

    private static let largestFile = 4 << 20
    private static let mostFiles = 200

    /// No files.
    package init() {}

    /// Adds the file at `path`.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile`, or `invalidArgument` for a file that is no text or too large.
    package mutating func add(path: String) throws(InferenceError) {
        let path = Self.expanded(path)
        let bytes = try InputText.file(path, limit: Self.largestFile)
        guard !bytes.contains(0) else { throw InferenceError(.invalidArgument, "\(path.printable) is not a text") }
        add(File(name: path, text: String(decoding: bytes, as: UTF8.self)))
    }

    /// Adds the files that match `pattern` or are in the folder of that name, without those that git ignores, and without binary,
    /// generated and secret ones.
    ///
    /// - Returns: The number of files that matched and were left out.
    /// - Throws: ``InferenceError``: `unreadableFile` for a folder that cannot be listed, `invalidArgument` if no file or very many
    ///   match.
    package mutating func add(matching pattern: String) throws(InferenceError) -> Int {
        let path = Self.expanded(pattern)
        let pattern = PathPattern(FileKind(at: path) == .folder ? path + "/**" : path)
        let root = try RootedFolder(path: pattern.folder)
        var walk = FolderWalk(root, options: IngestionOptions())
        try walk.run()
        let filter = ContentFilter(IngestionOptions())
        var found: [File] = []
        var leftOut = 0
        for file in walk.files where pattern.matches(String(decoding: file.path, as: UTF8.self)) {
            guard let bytes = try root.read(file.path, limit: Self.largestFile), filter.reason(bytes) == nil else {
                leftOut += 1
                continue
            }
            guard found.count < Self.mostFiles else {
                throw InferenceError(.invalidArgument, "more than \(Self.mostFiles) files match")
            }
            let path = String(decoding: file.path, as: UTF8.self)
            found.append(
                File(
                    name: pattern.folder == "." ? path : "\(pattern.folder)/\(path)",
                    text: String(decoding: bytes, as: UTF8.self)))
        }
        guard !found.isEmpty else {
            let reason = leftOut > 0 ? "; \(leftOut) were left out as binary, generated or secret" : ""
            throw InferenceError(.invalidArgument, "no file matches that git does not ignore\(reason)")
        }
        for file in found { add(file) }
        return leftOut
    }

    /// Drops all files.
    package mutating func clear() { files = [] }

    /// The files, and then the question.
    package func message(_ question: String) -> String { files.map(Self.block).joined() + question }

    /// Adds a file.
    package mutating func add(_ file: File) {
        files.removeAll { $0.name == file.name }
        files.append(file)
    }

    /// A fence that does not occur in `text`.
    package static func fence(around text: String) -> String {
        var fence = "```"
        while text.contains(fence) { fence += "`" }
        return fence
    }

    /// The name and the text between fences.
    private static func block(_ file: File) -> String {
        let fence = fence(around: file.text)
        let end = file.text.hasSuffix("\n") || file.text.isEmpty ? "" : "\n"
        return "\(file.name):\n\(fence)\n\(file.text)\(end)\(fence)\n\n"
    }

    /// The path without quotation marks, and with the home folder in place of `~`.
    package static func expanded(_ path: String) -> String {
        var path = path.trimmingBlanks
        for mark in ["\"", "'"] where path.count > 1 && path.hasPrefix(mark) && path.hasSuffix(mark) {
            path = String(path.dropFirst().dropLast())
        }
        guard path == "~" || path.hasPrefix("~/"), let home = Terminal.environment("HOME") else { return path }
        return home + path.dropFirst()
    }
}

/// A pattern of paths: `*`, `?` and `[…]` within a name, `**` for any folders.
package struct PathPattern {
    /// The folder that all matching files are in.
    package let folder: String
    private let names: [Substring]

    /// Reads a pattern.
    package init(_ pattern: String) {
        let parts = pattern.split(separator: "/").filter { $0 != "." }
        let plain = parts.dropLast().prefix { !$0.contains { "*?[".contains($0) } }
        let start = plain.joined(separator: "/")
        folder = pattern.hasPrefix("/") ? "/" + start : start.isEmpty ? "." : start
        names = Array(parts.dropFirst(plain.count))
    }

    /// Whether `path`, relative to ``folder``, matches.
    package func matches(_ path: String) -> Bool { Self.matches(path.split(separator: "/")[...], names[...]) }

    private static func matches(_ path: ArraySlice<Substring>, _ names: ArraySlice<Substring>) -> Bool {
        guard let name = names.first else { return path.isEmpty }
        if name == "**" {
            return matches(path, names.dropFirst()) || (!path.isEmpty && matches(path.dropFirst(), names))
        }
        guard let first = path.first, fnmatch(String(name), String(first), 0) == 0 else { return false }
        return matches(path.dropFirst(), names.dropFirst())
    }
}
