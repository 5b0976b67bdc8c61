// What a model is asked to change in a file, and what its answer makes of the file.

import ArgumentParser
import Foundation
package import InferSupport
package import SwiftInfer

/// A file, or lines of it, written FILE, FILE:LINE or FILE:FIRST-LAST.
package struct FileLines: ExpressibleByArgument {
    /// The path of the file.
    package let file: String
    /// The lines, from 1; nil for all.
    package let lines: ClosedRange<Int>?

    package init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        guard let match = argument.wholeMatch(of: /(.+):([0-9]+)(?:-([0-9]+))?/) else {
            (file, lines) = (argument, nil)
            return
        }
        guard let first = Int(match.2), let last = Int(match.3 ?? match.2), 1 <= first, first <= last else {
            return nil
        }
        (file, lines) = (String(match.1), first...last)
    }
}

/// A change of a file by a model.
///
/// The model sees lines that end with line feeds, and no byte order mark. Both are restored, and so is the end of the file with or
/// without a line feed, because models do not keep them.
package struct FileEdit {
    /// The path of the file, without symbolic links.
    package let path: String
    /// The file's name in the request and in the diff: its path in the repository.
    package let name: String
    /// The file's bytes.
    package let original: [UInt8]
    /// The text that the model writes anew.
    package let part: String
    private let before: String
    private let after: String
    private let lines: ClosedRange<Int>?
    private let hasByteOrderMark: Bool
    private let hasCarriageReturns: Bool

    /// The fence around the new text: it does not occur in the old one.
    package let fence: String

    private static let byteOrderMark: Unicode.Scalar = "\u{FEFF}"

    /// Reads the file.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile`, or `invalidArgument` for a file that is no text, or lines that it does not have.
    package init(_ place: FileLines) throws(InferenceError) {
        let beside = Neighbours(of: place.file)
        (path, name, lines) = (beside.file.path, beside.name(of: beside.file), place.lines)
        original = try InputText.file(place.file)
        guard var text = String(validating: original, as: UTF8.self), !original.contains(0) else {
            throw InferenceError(.invalidArgument, "\(place.file) is not UTF-8 text")
        }
        hasByteOrderMark = text.unicodeScalars.first == Self.byteOrderMark
        if hasByteOrderMark { text.unicodeScalars.removeFirst() }
        // A file of both kinds of lines stays as it is.
        let ends = text.utf8.count { $0 == UInt8(ascii: "\n") }
        hasCarriageReturns = ends > 0 && text.count { $0 == "\r\n" } == ends
        if hasCarriageReturns { text.replace("\r\n", with: "\n") }
        var rest = Substring(text)
        func next(_ count: Int) -> String {
            var end = rest.startIndex
            for _ in 0..<count where end < rest.endIndex {
                end = rest.utf8[end...].firstIndex(of: UInt8(ascii: "\n")).map(rest.utf8.index(after:)) ?? rest.endIndex
            }
            defer { rest = rest[end...] }
            return String(rest[..<end])
        }
        let count = ends + (text.isEmpty || text.utf8.last == UInt8(ascii: "\n") ? 0 : 1)
        if let lines, lines.upperBound > count {
            throw InferenceError(
                .invalidArgument, "\(place.file) has \(count) lines, so it has no line \(lines.upperBound)")
        }
        before = next((lines?.lowerBound ?? 1) - 1)
        part = next(lines?.count ?? count)
        after = String(rest)
        fence = Attachments.fence(around: text)
    }

    /// The conversation that asks for the change.
    package func messages(instruction: String, context: [String]) throws(InferenceError) -> [ChatMessage] {
        var attachments = Attachments()
        for path in context { try attachments.add(path: path) }
        attachments.add(Attachments.File(name: name, text: before + part + after))
        var what = "the file \(name)"
        if let lines {
            what = "lines \(lines.lowerBound) to \(lines.upperBound) of \(name)"
            attachments.add(Attachments.File(name: what, text: part))
        }
        let question = """
            Change \(what) as follows: \(instruction)

            Answer with the complete new text of \(what), between a line \(fence) and a line \(fence), and with nothing else. \
            Leave out nothing, and keep everything that need not change exactly as it is.
            """
        return [ChatMessage(role: .user, content: attachments.message(question))]
    }

    /// The new text of the file.
    ///
    /// - Throws: ``InferenceError`` with `incompleteAnswer` if `answer` is not of the form that was asked for.
    package func text(from answer: String) throws(InferenceError) -> String {
        var new = try block(in: answer)
        // What models do not keep.
        if part.utf8.last == UInt8(ascii: "\n") || !after.isEmpty {
            if !new.isEmpty, new.utf8.last != UInt8(ascii: "\n") { new += "\n" }
        } else if !part.isEmpty, new.utf8.last == UInt8(ascii: "\n") {
            new.unicodeScalars.removeLast()
        }
        return restored(before + new + after)
    }

    /// The old text of the file, as ``text(from:)`` gives the new one.
    package var oldText: String { restored(before + part + after) }

    private func restored(_ text: String) -> String {
        (hasByteOrderMark ? String(Self.byteOrderMark) : "")
            + (hasCarriageReturns ? text.replacing("\n", with: "\r\n") : text)
    }

    /// The text between the fences of the only block of `answer`.
    private func block(in answer: String) throws(InferenceError) -> String {
        let lines = answer.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        func isFence(_ line: Substring) -> Bool { line.prefix { $0 == "`" }.count >= fence.count }
        guard let start = lines.firstIndex(where: isFence) else {
            throw InferenceError(.incompleteAnswer, "the model's answer has no text between lines of \(fence)")
        }
        let width = lines[start].prefix { $0 == "`" }.count
        // The fence at the end has no name of a language.
        let ends = lines.indices.filter {
            $0 > start && String(lines[$0]).trimmingBlanks == String(repeating: "`", count: width)
        }
        guard let end = ends.first else {
            throw InferenceError(.incompleteAnswer, "the model's answer has no \(fence) at its end")
        }
        // A fence within the new text looks like its end.
        guard !lines[(end + 1)...].contains(where: isFence) else {
            throw InferenceError(.incompleteAnswer, "the model's answer has several blocks between lines of \(fence)")
        }
        return lines[(start + 1)..<end].map { $0 + "\n" }.joined()
    }

    /// Replaces the file, unless it has changed since it was read.
    ///
    /// - Throws: ``InferenceError``: `unwritableFile`, or `unreadableFile`.
    package func write(_ text: String) throws(InferenceError) {
        guard try InputText.file(path) == original else {
            throw InferenceError(.unwritableFile, "\(path) was changed meanwhile, so it is not written")
        }
        var status = stat()
        let mode = stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0o644
        let file = try OutputFile(replacing: path, mode: mode)
        try file.append(Array(text.utf8))
        try file.commit()
        // The user's mask can have restricted the mode.
        chmod(path, mode)
    }
}
