// Grammars that are put together from texts and schemas.

import Foundation
import InferGrammar
import InferSupport
import TestSupport
import Testing

@Suite struct GrammarPartTests {
    private func grammar(_ part: GrammarPart) throws -> Grammar { try Grammar(part, style: JSONStyle()) }

    @Test func partsFollowOneAnother() throws {
        let digit: JSONValue = ["type": "integer", "minimum": 0, "maximum": 9]
        let list: JSONValue = [
            "$defs": ["list": ["type": "array", "items": ["$ref": "#/$defs/list"]]], "$ref": "#/$defs/list",
        ]
        let grammar = try grammar(
            .sequence([
                .text("<"), .choice([.json(digit), .json(list), .regularExpression("a+")]), .optional(.text("!")),
                .text(">"),
            ]))
        for text in ["<1>", "<[]>", "<[[],[]]!>", "<aa!>"] { #expect(grammar.accepts(text), "\(text)") }
        for text in ["<10>", "<[1]>", "<>", "<a!!>", "<!>", "1"] { #expect(!grammar.accepts(text), "\(text)") }
        let coded = try JSONDecoder().decode(Grammar.self, from: JSONEncoder().encode(grammar))
        #expect(coded == grammar && coded.accepts("<[[]]>"))
    }

    @Test(arguments: [["ab"], ["aab", "ba"], ["aabaab"], ["abab", "b"], ["é数", "数é"], ["a", ""]])
    func marksAreAvoided(marks: [String]) throws {
        let grammar = try grammar(.sequence([.textWithout(marks), .text("|")]))
        var random = SeededGenerator(7)
        let letters = Array("abé数")
        for length in 0...200 {
            let text = String((0..<length % 12).map { _ in letters.randomElement(using: &random) ?? "a" })
            let isAllowed = !marks.contains { !$0.isEmpty && text.contains($0) }
            #expect(grammar.accepts(text + "|") == isAllowed, "\(text)")
        }
        #expect(!grammar.accepts("c"))
    }
}
