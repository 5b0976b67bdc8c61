// Words that are so long that they are merged in windows.

import InferTokenizers
import TestSupport
import Testing

@Suite struct LongWordTests {
    /// Merges the leftmost pair with the lowest rank until no pair merges. It stores the ranks of all pairs.
    private static func plainlyMerged(_ text: String, _ merges: [(String, String)]) -> [TokenID] {
        var ranks: [[TokenID]: Int] = [:]
        var ids: [String: TokenID] = [:]
        for byte in UInt8.min...127 { ids[String(Unicode.Scalar(byte))] = TokenID(byte) }
        for (rank, merge) in merges.enumerated() { ids[merge.0 + merge.1] = TokenID(256 + rank) }
        for (rank, merge) in merges.enumerated() {
            if let left = ids[merge.0], let right = ids[merge.1] { ranks[[left, right]] = rank }
        }
        var symbols = text.utf8.map { TokenID($0) }
        var pairs = zip(symbols, symbols.dropFirst()).map { ranks[[$0, $1]] ?? .max }
        while let place = pairs.withUnsafeBufferPointer({ pairs -> Int? in
            var best = 0
            for index in 1..<pairs.count where pairs[index] < pairs[best] { best = index }
            return pairs[best] == .max ? nil : best
        }) {
            symbols[place] = TokenID(256 + pairs[place])
            symbols.remove(at: place + 1)
            pairs.remove(at: place)
            for left in [place - 1, place] where pairs.indices.contains(left) {
                pairs[left] = ranks[[symbols[left], symbols[left + 1]]] ?? .max
            }
        }
        return symbols
    }

    @Test(arguments: [4097, 4608, 9000], [["a", "b", "c"], ["a"], ["ab", "abc", "c"]])
    func agreeWithPlainMerging(length: Int, units: [String]) throws {
        let merges = [
            ("a", "b"), ("b", "c"), ("ab", "c"), ("c", "ab"), ("a", "a"), ("aa", "aa"), ("abc", "abc"), ("b", "b"),
            ("aaaa", "aaaa"), ("c", "a"), ("c", "aaaa"),
        ]
        let tokenizer = try Tokenizer(Vocabularies.bytePair(merges: merges, pre: "dbrx"))
        var generator = SeededGenerator(UInt64(length))
        var text = ""
        while text.utf8.count < length { text += units.randomElement(using: &generator) ?? "a" }
        #expect(tokenizer.encode(text) == Self.plainlyMerged(text, merges))
    }

    /// Pairs that merge from the right. The end of the word determines where its first pair begins, so windows give a wrong
    /// result and the word must be merged as a whole.
    @Test(arguments: [4999, 5000]) func windowsThatDependOnTheEnd(length: Int) throws {
        let characters = (0..<length).map { String(Unicode.Scalar(0x4E00 + UInt32($0)) ?? " ") }
        let pairs = zip(characters, characters.dropFirst()).enumerated().map { ($1.0 + $1.1, Float($0)) }
        let tokenizer = try Tokenizer(Vocabularies.sentencePiece([("▁", -1)] + characters.map { ($0, -1) } + pairs))
        let tokens = tokenizer.encode(characters.joined(), addSpecial: false)
        var expected = stride(from: length - 2, through: 0, by: -2).map { characters[$0] + characters[$0 + 1] }
        if !length.isMultiple(of: 2) { expected.append(characters[0]) }
        let texts = tokens.map { String(decoding: tokenizer.bytes(of: [$0]), as: UTF8.self) }
        #expect(texts.filter { !$0.isEmpty } == expected.reversed())
    }
}
