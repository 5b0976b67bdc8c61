// Tokens as tables show them.

import SwiftInfer

/// The text of a token, for people.
enum TokenText {
    /// The token's text in quotes, with control characters escaped; bytes that are part of a character only as numbers.
    static func quoted(_ token: TokenID, _ tokenizer: Tokenizer) -> String {
        let bytes = Array(tokenizer.bytes(of: token))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return bytes.map { "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">" }.joined()
        }
        return text.debugDescription
    }
}
