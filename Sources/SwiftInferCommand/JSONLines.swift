// Files with one JSON object a line.

import Foundation
import InferSupport

/// Reading of `.jsonl` files.
enum JSONLines {
    /// The values on the lines of the file at `path`.
    ///
    /// - Parameter expectation: What a line ought to be, for the message when one is not.
    static func values<Value: Decodable>(
        _ type: Value.Type, in path: String, expecting expectation: String
    ) throws(InferenceError) -> [Value] {
        let decoder = JSONDecoder()
        var values: [Value] = []
        for (index, line) in try InputText.file(path, limit: InputText.largestList).split(separator: UInt8(ascii: "\n"))
            .enumerated()
        {
            guard let value = try? decoder.decode(type, from: Data(line)) else {
                throw InferenceError(.unreadableFile, "\(path), line \(index + 1) is not \(expectation)")
            }
            values.append(value)
        }
        return values
    }
}
