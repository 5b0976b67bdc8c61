// Token ids on the command line, `1,2,3`, and as `tokenize` prints them.

import ArgumentParser
import Foundation

/// A comma-separated list of token ids.
struct TokenList: ExpressibleByArgument {
    let tokens: [Int32]

    /// Accepts decimal ids separated by commas or blanks; nil when one is something else.
    init?(argument: String) {
        let parts = argument.split { $0 == "," || $0 == " " }
        let tokens = parts.compactMap { Int32($0) }
        guard tokens.count == parts.count else { return nil }
        self.tokens = tokens
    }

    /// Reads what `tokenize` prints: an object `{"tokens":[…]}`, or a table with an id and a quoted text on each line. Lists of
    /// ids alone are read too. Nil when it is something else.
    init?(printed text: [UInt8]) {
        let data = Data(text)
        if let object = try? JSONDecoder().decode([String: [Int32]].self, from: data) {
            guard let tokens = object["tokens"] else { return nil }
            self.tokens = tokens
        } else if let list = try? JSONDecoder().decode([Int32].self, from: data) {
            tokens = list
        } else {
            var tokens: [Int32] = []
            for line in String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline) {
                let fields = line.split { $0 == "," || $0.isWhitespace }
                let ids = fields.prefix { Int32($0) != nil }
                // What follows an id is its text: in quotes, or as bytes that are no text.
                let rest = fields.dropFirst(ids.count).first
                guard rest.map({ ids.count == 1 && ($0.hasPrefix("\"") || $0.hasPrefix("<0x")) }) ?? true else {
                    return nil
                }
                tokens += ids.compactMap { Int32($0) }
            }
            self.tokens = tokens
        }
    }
}
