// The file with the texts that were typed in conversations with a model.

import Foundation
package import InferSupport

/// The history of one model, in `swiftinfer/history` in the user's state folder. Only the user can read it. Several programs may add
/// to it at the same time.
package struct HistoryFile {
    /// The path of the file, which may not exist.
    package let path: String

    /// The file for the model called `name`.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile` if there is no state folder.
    package init(model name: String) throws(InferenceError) {
        let safe = name.map { $0.isLetter || $0.isNumber || "-_.+".contains($0) ? $0 : "_" }.prefix(100)
        path = try UserFolder.state.path(for: "history") + "/" + (safe.first == "." ? "_" : "") + String(safe)
    }

    /// Whether the file exists.
    package var exists: Bool { OutputFile.exists(path) }

    /// The texts in the file, oldest first. A file that is much too long is cut.
    package func read() -> InputHistory {
        guard let data = FileManager.default.contents(atPath: path) else { return InputHistory() }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        let history = InputHistory(
            lines.suffix(InputHistory.limit).map { InputHistory.text(of: String(decoding: $0, as: UTF8.self)) })
        if lines.count > 2 * InputHistory.limit { try? write(history.entries) }
        return history
    }

    /// Adds a text.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`.
    package func append(_ text: String) throws(InferenceError) {
        try Folder.create(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), mode: 0o700)
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure }
        defer { close(descriptor) }
        let bytes = Array(InputHistory.line(of: text).utf8)
        // One call, so that lines of several programs do not mix.
        let written = bytes.withUnsafeBytes { Output.systemWrite(descriptor, $0) }
        guard written == bytes.count else { throw failure }
    }

    private func write(_ entries: [String]) throws(InferenceError) {
        let file = try OutputFile(replacing: path, mode: 0o600)
        for entry in entries { try file.append(Array(InputHistory.line(of: entry).utf8)) }
        try file.commit()
    }

    private var failure: InferenceError {
        InferenceError(.unwritableFile, "cannot write \(path): \(String(cString: strerror(errno)))")
    }
}
