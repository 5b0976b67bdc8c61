// Token ids on the command line and in the output of `tokenize`, and the texts of tokens in tables.

import ArgumentParser
import Foundation
import SwiftInfer

/// A comma-separated list of token ids.
struct TokenList: ExpressibleByArgument {
    let tokens: [Int32]

    /// Parses decimal ids separated by commas or blanks; nil for anything else.
    init?(argument: String) {
        let parts = argument.split { $0 == "," || $0 == " " }
        let tokens = parts.compactMap { Int32($0) }
        guard tokens.count == parts.count else { return nil }
        self.tokens = tokens
    }

    /// Parses the output of `tokenize`: an object `{"tokens":[…]}`, or a table with an id and a text in quotes on each line. Also
    /// parses lists of ids. Nil for anything else.
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
                // An id may be followed by its text in quotes or, if it is not valid text, by its bytes.
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

/// The texts of tokens, for people.
enum TokenText {
    /// The token's text in quotes with escaped control characters, or its bytes as numbers if they are not valid text.
    static func quoted(_ token: TokenID, _ tokenizer: Tokenizer) -> String {
        let bytes = Array(tokenizer.bytes(of: token))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return bytes.map { "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">" }.joined()
        }
        return text.debugDescription
    }
}
