// Regular expressions as acceptors of whole texts.

import InferGrammar
import InferSupport
import TestSupport
import Testing

@Suite struct RegularExpressionTests {
    @Test(arguments: [
        ("a(b|cd)*", ["a", "ab", "acdb"], ["", "ac", "abx"]),
        ("(?:x{2,3}?y+)?", ["", "xxy", "xxxyy"], ["xy", "xxxxy", "xx"]),
        ("(?<year>\\d{4})-\\d\\d", ["2026-11"], ["26-11", "2026-1"]),
        ("[^\\s\\w]+", ["?!", "é"], ["a", " ", ""]),
        ("[a-c\\-\\]]+", ["a-]", "cab"], ["d", "\\"]),
        (".", ["x", "😀", "\u{0}"], ["\n", "", "xy"]),
        ("^a$|^$", ["a", ""], ["b", "aa"]),
        ("a^b", [], ["ab", "a^b"]),
        ("\\p{Lu}\\P{L}\\p{Script_Extensions}", [], []),
        ("\\p{Lu}\\P{L}", ["Ä1", "A "], ["ä1", "AB"]),
        ("\\u{1F600}\\u00e9\\x41\\cJ\\t\\0", ["😀éA\n\t\0"], ["😀éA"]),
        ("\\uD83D\\uDE00", ["😀"], [""]),
        ("(a*)*b", ["b", "aaab"], ["a"]),
        ("\\.\\*\\(\\)\\/", [".*()/"], ["a"]),
    ]) func accepts(source: String, good: [String], bad: [String]) throws {
        guard let grammar = try? Grammar(regularExpression: source) else {
            #expect(good.isEmpty, "\(source) is refused")
            return
        }
        for text in good { #expect(grammar.accepts(text), "\(text)") }
        for text in bad { #expect(!grammar.accepts(text), "\(text)") }
    }

    @Test(arguments: [
        ("(a", "')'"), ("a)", "')'"), ("[a", "']'"), ("*a", "nothing to repeat"), ("a**", "quantifier"),
        ("a{3,2}", "out of order"),
        ("[z-a]", "out of order"), ("\\1(a)", "back-reference"), ("(?=a)", "(?=…)"), ("(?<!a)b", "(?<!…)"),
        ("\\bword", "word boundary"),
        ("\\q", "\\q"), ("\\p{Nonsense}", "Nonsense"), ("\\u{110000}", "no character"), ("a^b", "no text"),
        ("a{1000000}", "large"),
        ("(((a{100}){100}){100}){100}", "large"), (String(repeating: "(", count: 200), "levels"),
    ]) func faultsAreNamed(source: String, phrase: String) {
        expectRefusal(.invalidArgument, phrase) { try Grammar(regularExpression: source, limits: .small) }
    }
}
