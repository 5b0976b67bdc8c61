// A place in a source file, the text around it, and the files beside it.

import ArgumentParser
import Foundation
import InferSupport
import SwiftInfer

/// A place in a file, written FILE:LINE or FILE:LINE:COLUMN.
struct FilePlace: ExpressibleByArgument {
    /// The path of the file.
    let file: String
    /// From 1.
    let line: Int
    /// From 1, in characters; nil for the end of the line.
    let column: Int?

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        func number(_ index: Int) -> Int? { parts.indices.contains(index) ? Int(parts[index]) : nil }
        let last = parts.count - 1
        if let line = number(last - 1), let column = number(last), last > 1 {
            (self.line, self.column) = (line, column)
            file = parts[..<(last - 1)].joined(separator: ":")
        } else if let line = number(last), last > 0 {
            (self.line, column) = (line, nil)
            file = parts[..<last].joined(separator: ":")
        } else {
            return nil
        }
        guard !file.isEmpty, line >= 1, column ?? 1 >= 1 else { return nil }
    }

    /// The texts before and after the place.
    ///
    /// - Throws: ``InferenceError``: `unreadableFile`, or `invalidArgument` for a place that the file does not have.
    func gap() throws(InferenceError) -> InfillPrompt {
        let bytes = try InputText.file(file)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InferenceError(.invalidArgument, "\(file) is not UTF-8 text")
        }
        // A line ends before its line feed; with CR LF, which is one character, before both.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard line <= lines.count else {
            throw InferenceError(.invalidArgument, "\(file) has \(lines.count) lines, so it has no line \(line)")
        }
        let content = lines[line - 1]
        guard let column else { return gap(in: text, at: content.endIndex) }
        guard column <= content.count + 1 else {
            throw InferenceError(
                .invalidArgument,
                "line \(line) of \(file) has \(content.count) characters, so that columns end at \(content.count + 1)")
        }
        return gap(in: text, at: content.index(content.startIndex, offsetBy: column - 1))
    }

    private func gap(in text: String, at place: String.Index) -> InfillPrompt {
        let root = Neighbours.repository(of: file)
        return InfillPrompt(
            prefix: String(text[..<place]), suffix: String(text[place...]),
            fileName: Neighbours.name(of: file, in: root), repositoryName: root?.lastPathComponent)
    }
}

/// The files beside a file, as context for a model.
enum Neighbours {
    /// The most files, and the most bytes of one.
    private static let count = 8, byteCount = 1 << 16

    /// Regular files of the same folder with the same ending, in the order of their last changes.
    static func files(of path: String) -> [SourceFile] {
        let file = URL(filePath: path)
        let root = repository(of: path)
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .fileSizeKey, .contentModificationDateKey]
        let all = try? FileManager.default.contentsOfDirectory(
            at: file.deletingLastPathComponent(), includingPropertiesForKeys: Array(keys),
            options: .skipsHiddenFiles)
        let candidates = (all ?? []).compactMap { url -> (url: URL, date: Date)? in
            guard url.pathExtension == file.pathExtension, url.lastPathComponent != file.lastPathComponent,
                let values = try? url.resourceValues(forKeys: keys), values.isRegularFile == true,
                (1...byteCount).contains(values.fileSize ?? 0)
            else { return nil }
            return (url, values.contentModificationDate ?? .distantPast)
        }
        // Files of one checkout can have one date.
        let sorted = candidates.sorted { ($0.date, $0.url.path) < ($1.date, $1.url.path) }
        return sorted.suffix(count).compactMap { url, _ in
            guard let data = try? Data(contentsOf: url), let text = String(validating: data, as: UTF8.self)
            else { return nil }
            return SourceFile(name: name(of: url.path, in: root), text: text)
        }
    }

    /// The nearest folder above the file that has `.git`; nil if there is none.
    static func repository(of path: String) -> URL? {
        var folder = URL(filePath: path).standardizedFileURL.deletingLastPathComponent()
        while true {
            if FileManager.default.fileExists(atPath: folder.appending(path: ".git").path) { return folder }
            let parent = folder.deletingLastPathComponent().standardizedFileURL
            if parent.path == folder.path { return nil }
            folder = parent
        }
    }

    /// The file's path in the repository, or its name without one.
    static func name(of path: String, in repository: URL?) -> String {
        let file = URL(filePath: path).standardizedFileURL
        guard let repository, file.path.hasPrefix(repository.path + "/") else { return file.lastPathComponent }
        return String(file.path.dropFirst(repository.path.count + 1))
    }
}
