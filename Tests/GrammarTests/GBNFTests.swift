// Grammars in GBNF as acceptors of whole texts.

import InferGrammar
import InferSupport
import TestSupport
import Testing

@Suite struct GBNFTests {
    @Test(arguments: [
        ("root ::= \"yes\" | \"no\"", ["yes", "no"], ["", "ye", "yesno"]),
        (
            """
            # Arithmetic, from llama.cpp's examples.
            root  ::= (expr "=" ws term "\\n")+
            expr  ::= term ([-+*/] term)*
            term  ::= ident | num | "(" ws expr ")" ws
            ident ::= [a-z] [a-z0-9_]* ws
            num   ::= [0-9]+ ws
            ws    ::= [ \\t\\n]*
            """, ["1+2=3\n", "(a +b)*c_1 = 12\nx=1\n"], ["1+=2\n", "1=2", "(1=2\n"]
        ),
        (
            """
            root ::=
              "1. " move " " move "\\n" ([1-9] [0-9]? ". " move " " move "\\n")+
            move ::= (pawn |
              nonpawn) [+#]?
            pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
            nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
            """, ["1. e4 e5\n2. Nf3 Nc6\n"], ["1. e4 e5\n", "1. e9 e5\n2. Nf3 Nc6\n"]
        ),
        (
            "root ::= [^\\x00-\\x1F\"\\]]{2,3} \"\\u00e9\\U0001F600\"?", ["ab", "abcé😀", "日本"],
            ["a", "a\n", "a\"", "abcd"]
        ),
        ("root ::= . \"\\\"\" a-b?\na-b::=\"x\"{2}", ["q\"", "\n\"xx"], ["\"", "q\"x"]),
        ("root ::= \"(\" root \")\" | \"\"", ["", "()", "((()))"], ["(", "())", "()()"]),
        ("root ::= s\ns ::= \"a\" s \"a\" | \"b\" s \"b\" | \"\"", ["", "aa", "abba", "baab"], ["ab", "aab"]),
        ("root ::= x x x\nx ::= \"a\" | \"aa\"", ["aaa", "aaaa", "aaaaaa"], ["aa", "aaaaaaa"]),
    ]) func accepts(source: String, good: [String], bad: [String]) throws {
        let grammar = try Grammar(gbnf: source)
        for text in good { #expect(grammar.accepts(text), "\(text)") }
        for text in bad { #expect(!grammar.accepts(text), "\(text)") }
    }

    @Test(arguments: [
        ("", "root"), ("root ::= a", "\"a\" is not defined"), ("root ::= \"a", "'\"'"), ("root ::= (\"a\"", "')'"),
        ("root ::= [a", "']'"),
        ("root ::= \"a\"\nroot ::= \"b\"", "line 2"), ("root = \"a\"", "'::='"),
        ("root ::= root \"a\" | \"a\"", "left recursion"),
        ("root ::= a \"x\"\na ::= \"y\"? b\nb ::= root?", "left recursion"), ("root ::= \"a\" root", "no text"),
        ("root ::= <think>", "tokens"),
        ("root ::= \"\\q\"", "\\q"), ("root ::= \"a\"{3,1}", "out of order"), ("root ::= \"a\"{9999999}", "large"),
        ("root ::= " + String(repeating: "(", count: 500), "levels"), ("root ::= [z-a]", "out of order"),
    ]) func faultsAreNamed(source: String, phrase: String) {
        expectRefusal(.invalidArgument, phrase) { try Grammar(gbnf: source, limits: .small) }
    }
}
