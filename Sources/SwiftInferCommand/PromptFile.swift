// Files of prompts.

/// A file with one task per line, or one text.
enum PromptFile {
    private struct Task: Decodable {
        let prompt: String
    }

    /// The prompts of the file at `path`: the member `prompt` of the JSON object on each line where its name ends in
    /// `.jsonl`, or else its whole content.
    static func prompts(in path: String) throws -> [String] {
        guard path.hasSuffix(".jsonl") else { return [String(decoding: try InputText.file(path), as: UTF8.self)] }
        return try JSONLines.values(Task.self, in: path, expecting: "a JSON object with a text named prompt").map(
            \.prompt)
    }
}
