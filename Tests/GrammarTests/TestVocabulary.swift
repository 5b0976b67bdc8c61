// A small vocabulary: every byte, and longer tokens that cross the parts of JSON texts.

import InferGrammar
import TestSupport

extension GrammarLimits {
    /// Limits that are reached soon.
    static let small: GrammarLimits = {
        var limits = GrammarLimits()
        (limits.states, limits.work, limits.depth) = (3_000, 300_000, 60)
        return limits
    }()
}

enum TestVocabulary {
    static let end: Int32 = 0
    static let control: Int32 = 1

    /// Token 0 ends the text, token 1 is a control token, tokens from 2 on are the bytes, then come longer ones.
    static let tokens: [[UInt8]] = {
        let words = [
            "{\"", "\":", "\": ", "\",", "\", \"", "\"}", "\"]", "\"]}", "[[", "[[[[[[", "]]", "]]}", "}}", "}]", "},{",
            ", ", ",\n  ",
            "{}", "[]", "{\n", "\n}", "null", "true", "false", "name", "value", "next", "item", "\"a\"", "\"name\":\"",
            "é", "grün", "10", "00",
            "0.5", "-1", ".25", "\\n", "\\u00", "😀", "🚀\"", " ", "  ", "    ", "\\\"", "1,2", "e+1", "nul", "ll}",
            "\":{\"", "\":[{\"",
        ]
        return [[], []] + (UInt8.min...UInt8.max).map { [$0] } + words.map { Array($0.utf8) }
            // Parts of characters.
            + [Array("é".utf8.prefix(1)), Array("😀".utf8.prefix(3)), Array("\"😀".utf8.dropLast()), [0x80, 0x22]]
    }()

    static let trie = TokenTrie(tokens: tokens, endTokens: [end])

    static func text(_ sequence: [Int32]) -> String {
        String(decoding: sequence.flatMap { tokens[Int($0)] }, as: UTF8.self)
    }

    /// A random sequence of allowed tokens. After `free` tokens, those that lead to the end most quickly are preferred.
    ///
    /// - Returns: The tokens without the one that ends the text; nil if there was a dead end, or no end within 4,000 tokens.
    static func walk(_ constraint: GrammarConstraint, free: Int, _ random: inout SeededGenerator) -> [Int32]? {
        var state = GrammarState(constraint)
        var mask = TokenMask(tokenCount: tokens.count)
        var sequence: [Int32] = []
        while !state.isFinished, sequence.count < 4_000 {
            state.mask(into: &mask)
            if sequence.count >= free, mask.contains(end) { return sequence }
            var choices = mask.tokens.filter { $0 != end }
            if sequence.count >= free {
                let closing = choices.filter { token in tokens[Int(token)].contains { "\"]},:0".utf8.contains($0) } }
                if !closing.isEmpty, Bool.random(using: &random) || sequence.count < 2 * free { choices = closing }
            }
            guard let token = choices.randomElement(using: &random), state.accept(token) else { return nil }
            sequence.append(token)
        }
        return state.isFinished ? sequence : nil
    }
}
