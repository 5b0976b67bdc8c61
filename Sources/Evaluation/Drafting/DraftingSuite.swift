// Suites: the tasks that drafters are measured on, read from a `.jsonl` file.

import Foundation
package import InferSupport

/// The tasks of a `.jsonl` file.
package struct DraftingSuite: Sendable {
    /// The file's name without its extension.
    package let name: String
    /// The tasks, ordered by the file and line that their answers come from. Drafters may remember prompts, and the
    /// prompt of a task may contain the answer to a task further up in the same file.
    package let tasks: [DraftingTask]
    private let folder: URL

    /// Parses the contents of a suite file.
    ///
    /// - Parameters:
    ///   - contents: One JSON object per line; see ``DraftingTask``.
    ///   - path: Where the contents come from. Repositories are relative to its folder.
    ///   - limit: The most tasks to take, spread evenly over the file; nil takes all.
    /// - Throws: ``InferenceError`` with `unreadableFile` if a line is not a task.
    package init(_ contents: [UInt8], path: String, limit: Int? = nil) throws(InferenceError) {
        let file = URL(fileURLWithPath: path)
        name = file.deletingPathExtension().lastPathComponent
        folder = file.deletingLastPathComponent()
        let all = try JSONLines.values(
            DraftingTask.self, in: contents, path: path,
            expecting: "a task: a JSON object with texts named id, prompt and reference")
        let count = min(limit ?? .max, all.count)
        tasks = (0..<count).map { all[$0 * all.count / count] }.enumerated().sorted {
            let (a, b) = ($0.element.exclude, $1.element.exclude)
            return (a?.path ?? "", a?.firstLine ?? 0, $0.offset) < (b?.path ?? "", b?.firstLine ?? 0, $1.offset)
        }.map(\.element)
    }

    /// The path of the repository of `task`; nil if it has none.
    func repositoryPath(of task: DraftingTask) -> String? {
        task.repository.map { URL(fileURLWithPath: $0, relativeTo: folder).path }
    }
}

/// A text to continue, and its continuation in the original source.
package struct DraftingTask: Decodable, Sendable {
    /// The lines of a file that are the answer.
    struct Excluded: Decodable, Sendable {
        /// The file, relative to the repository's root.
        let path: String
        /// The first line, counted from 1.
        let firstLine: Int
        /// The last line, inclusive.
        let lastLine: Int

        enum CodingKeys: String, CodingKey {
            case path
            case firstLine = "first_line", lastLine = "last_line"
        }
    }

    package let id: String
    let prompt: String
    let reference: String
    /// Texts that end an answer.
    let stop: [String]?
    /// The archive or folder that the prompt's file comes from, relative to the suite's folder.
    let repository: String?
    /// The part of the repository that is the answer. Drafters must not see it.
    let exclude: Excluded?
}

/// Files with one JSON object per line.
package enum JSONLines {
    /// Decodes every line that is not empty.
    ///
    /// - Parameters:
    ///   - path: Where the contents come from, for error messages.
    ///   - expectation: What a line should be, for error messages.
    /// - Throws: ``InferenceError`` with `unreadableFile` for the first line that is not a `Value`.
    package static func values<Value: Decodable>(
        _ type: Value.Type, in contents: [UInt8], path: String, expecting expectation: String
    ) throws(InferenceError) -> [Value] {
        let decoder = JSONDecoder()
        var values: [Value] = []
        for (index, line) in contents.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let value = try? decoder.decode(type, from: Data(line)) else {
                throw InferenceError(.unreadableFile, "\(path), line \(index + 1) is not \(expectation)")
            }
            values.append(value)
        }
        return values
    }
}
