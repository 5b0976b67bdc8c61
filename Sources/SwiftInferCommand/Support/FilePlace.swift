// A place in a source file, the text around it, and the files beside it.

import ArgumentParser
import Foundation
import InferCodeSwift
import InferSupport
import InferTokenizers
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
        let beside = Neighbours(of: file)
        return InfillPrompt(
            prefix: String(text[..<place]), suffix: String(text[place...]), fileName: beside.name(of: beside.file),
            repositoryName: beside.repository.map { URL(filePath: $0).lastPathComponent })
    }
}

/// The files beside a file, as context for a model.
struct Neighbours {
    /// The file.
    let file: URL
    /// The top folder of the repository that has the file; nil if none has.
    let repository: String?

    /// The most files, and the most bytes of one.
    private static let count = 8, byteCount = 1 << 16

    /// What is beside the file at `path`.
    init(of path: String) {
        file = URL(filePath: path).resolvingSymlinksInPath()
        repository = RepositoryStore.top(around: file.deletingLastPathComponent().path)
    }

    /// Source files of the same folder with the same ending, in the order of their last changes. Generated and secret ones are left out.
    var files: [InferTokenizers.SourceFile] {
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .fileSizeKey, .contentModificationDateKey]
        let all = try? FileManager.default.contentsOfDirectory(
            at: file.deletingLastPathComponent(), includingPropertiesForKeys: Array(keys), options: .skipsHiddenFiles)
        let dated = (all ?? []).compactMap { url -> (url: URL, date: Date)? in
            guard url.pathExtension == file.pathExtension, url.lastPathComponent != file.lastPathComponent,
                let values = try? url.resourceValues(forKeys: keys), values.isRegularFile == true,
                values.fileSize ?? .max <= Self.byteCount
            else { return nil }
            return (url, values.contentModificationDate ?? .distantPast)
        }
        // Files of one checkout can have one date.
        let sorted = dated.sorted { ($0.date, $0.url.path) < ($1.date, $1.url.path) }
        let filter = ContentFilter(IngestionOptions())
        return sorted.suffix(Self.count).compactMap { url, _ in
            guard let bytes = try? InputText.file(url.path, limit: Self.byteCount), filter.reason(bytes) == nil else {
                return nil
            }
            return InferTokenizers.SourceFile(name: name(of: url), text: String(decoding: bytes, as: UTF8.self))
        }
    }

    /// The path of a file of the folder in the repository, or its name without one.
    func name(of url: URL) -> String {
        guard let repository, url.path.hasPrefix(repository + "/") else { return url.lastPathComponent }
        return String(url.path.dropFirst(repository.count + 1))
    }
}
