// Suites of tasks that drafters are measured on.

import Foundation
import InferSupport

/// The tasks of a `.jsonl` file.
struct DraftingSuite: Sendable {
    /// The file's name without ending.
    let name: String
    /// Tasks of one file are in the order of their places in it: drafters may remember prompts, and a prompt may show
    /// the answer to a task further up in the file.
    let tasks: [DraftingTask]
    private let folder: URL

    /// Reads the file at `path`; of more than `limit` tasks it takes so many, evenly spread.
    init(contentsOf path: String, limit: Int?) throws(InferenceError) {
        let file = URL(fileURLWithPath: path)
        name = file.deletingPathExtension().lastPathComponent
        folder = file.deletingLastPathComponent()
        let all = try JSONLines.values(
            DraftingTask.self, in: path, expecting: "a task: a JSON object with texts named id, prompt and reference")
        let count = min(limit ?? .max, all.count)
        tasks = (0..<count).map { all[$0 * all.count / count] }.enumerated().sorted {
            let (a, b) = ($0.element.exclude, $1.element.exclude)
            return (a?.path ?? "", a?.firstLine ?? 0, $0.offset) < (b?.path ?? "", b?.firstLine ?? 0, $1.offset)
        }.map(\.element)
    }

    /// Where the repository of `task` lies, if it has one.
    func repositoryPath(of task: DraftingTask) -> String? {
        task.repository.map { URL(fileURLWithPath: $0, relativeTo: folder).path }
    }
}
