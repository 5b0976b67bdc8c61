// The repository that a task comes from, without the answer to the task.

import Foundation
import InferSupport
import InferTokenizers

/// A repository's text files as tokens. The answer to a task, and copies of it, can be withheld.
final class DraftingRepository {
    private struct Document {
        let path: String
        let lines: [Substring]
        /// For each line that is not blank, its number and a hash of its text without surrounding blanks.
        let marks: [(line: Int, hash: Int)]
    }

    /// The tokens of each text file.
    let tokens: [[TokenID]]
    private let documents: [Document]
    private let tokenizer: Tokenizer

    /// Files with more bytes are taken for data and left out.
    private static let largestFile = 1 << 20
    /// The fewest characters, blanks not counted, of an answer whose copies are withheld. Shorter answers occur
    /// everywhere by chance.
    private static let shortestCopy = 24

    /// Reads the folder or the archive at `path`. `tar` unpacks an archive into a temporary folder.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`.
    init(_ path: String, _ tokenizer: Tokenizer) throws {
        guard let kind = FileKind(at: path) else {
            throw InferenceError(.unreadableFile, "cannot read the repository \(path): there is no such file")
        }
        self.tokenizer = tokenizer
        if kind == .folder {
            documents = Self.documents(in: URL(fileURLWithPath: path))
        } else {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("swiftinfer-\(UUID().uuidString)", isDirectory: true)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try Self.unpack(path, to: folder)
            documents = Self.documents(in: folder)
        }
        tokens = documents.map { Self.tokens(of: $0.lines[...], tokenizer) }
    }

    /// The files that contain the answer to `task` or a copy of it: for each, its number and the pieces around the
    /// answer as tokens.
    func withheld(for task: DraftingTask) -> [Int: [[TokenID]]] {
        let answer = Self.marks(task.reference.split(separator: "\n", omittingEmptySubsequences: false)).map(\.hash)
        let isLong = task.reference.count { !$0.isWhitespace } >= Self.shortestCopy
        var withheld: [Int: [[TokenID]]] = [:]
        for (number, document) in documents.enumerated() {
            var spans: [Range<Int>] = []
            if let excluded = task.exclude, excluded.path == document.path {
                let first = min(max(excluded.firstLine - 1, 0), document.lines.count)
                spans.append(first..<max(first, min(excluded.lastLine, document.lines.count)))
            }
            if isLong { spans += Self.occurrences(of: answer, in: document) }
            if !spans.isEmpty { withheld[number] = pieces(of: document, without: spans) }
        }
        return withheld
    }

    private func pieces(of document: Document, without spans: [Range<Int>]) -> [[TokenID]] {
        var pieces: [[TokenID]] = []
        var start = 0
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if start < span.lowerBound {
                pieces.append(Self.tokens(of: document.lines[start..<span.lowerBound], tokenizer))
            }
            start = max(start, span.upperBound)
        }
        if start < document.lines.count { pieces.append(Self.tokens(of: document.lines[start...], tokenizer)) }
        return pieces
    }

    private static func occurrences(of answer: [Int], in document: Document) -> [Range<Int>] {
        guard let first = answer.first, document.marks.count >= answer.count else { return [] }
        return (0...document.marks.count - answer.count).compactMap { start in
            guard document.marks[start].hash == first,
                document.marks[start..<start + answer.count].lazy.map(\.hash).elementsEqual(answer)
            else { return nil }
            return document.marks[start].line..<document.marks[start + answer.count - 1].line + 1
        }
    }

    private static func marks(_ lines: [Substring]) -> [(line: Int, hash: Int)] {
        lines.enumerated().compactMap { line, text in
            let text = text.trimmingCharacters(in: .whitespaces)
            return text.isEmpty ? nil : (line, text.hashValue)
        }
    }

    private static func tokens(of lines: ArraySlice<Substring>, _ tokenizer: Tokenizer) -> [TokenID] {
        tokenizer.encode(lines.joined(separator: "\n") + "\n", addSpecial: false, parseSpecial: false)
    }

    /// The text files below `root`, in the order of their paths.
    private static func documents(in root: URL) -> [Document] {
        let paths = (FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []).sorted()
        return paths.compactMap { path in
            let url = root.appendingPathComponent(path)
            guard let values = try? url.resourceValues(forKeys: [.isRegularFileKey, .fileSizeKey]),
                values.isRegularFile == true, values.fileSize ?? 0 <= largestFile, !path.hasPrefix(".git/"),
                let data = try? Data(contentsOf: url), !data.contains(0), let text = String(data: data, encoding: .utf8)
            else { return nil }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return Document(path: path, lines: lines, marks: marks(lines))
        }
    }

    private static func unpack(_ archive: String, to folder: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "-xf", archive, "-C", folder.path]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw InferenceError(.unreadableFile, "tar cannot unpack the repository \(archive)")
        }
    }
}
