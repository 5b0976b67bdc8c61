// Files of prompts.

import Foundation
import GGUF

/// A file with one task per line, or one text.
enum PromptFile {
    private struct Task: Decodable {
        let prompt: String
    }

    /// The prompts of the file at `path`: the member `prompt` of the JSON object on each line where its name ends in `.jsonl`, or
    /// else its whole content.
    static func prompts(in path: String) throws -> [String] {
        let bytes = try InputText.file(path)
        guard path.hasSuffix(".jsonl") else { return [String(decoding: bytes, as: UTF8.self)] }
        return try bytes.split(separator: UInt8(ascii: "\n")).enumerated().map { index, line in
            do {
                return try JSONDecoder().decode(Task.self, from: Data(line)).prompt
            } catch {
                throw InferenceError(
                    .unreadableFile, "\(path), line \(index + 1) is not a JSON object with a text named prompt")
            }
        }
    }
}
