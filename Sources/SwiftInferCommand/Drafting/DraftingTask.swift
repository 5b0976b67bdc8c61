// One task of a suite that drafters are measured on.

/// A text to be continued, and how it goes on by whoever set the task.
struct DraftingTask: Decodable, Sendable {
    /// Lines of a file that are the answer.
    struct Excluded: Decodable, Sendable {
        /// The file, from the repository's root.
        let path: String
        /// The first of the lines, counted from 1.
        let firstLine: Int
        /// The last of them.
        let lastLine: Int

        enum CodingKeys: String, CodingKey {
            case path
            case firstLine = "first_line", lastLine = "last_line"
        }
    }

    let id: String
    let prompt: String
    let reference: String
    /// Texts that end an answer.
    let stop: [String]?
    /// The archive or folder that the prompt's file comes from, as seen from the suite's own folder.
    let repository: String?
    /// What of the repository is the answer and must not be served to a drafter.
    let exclude: Excluded?
}
