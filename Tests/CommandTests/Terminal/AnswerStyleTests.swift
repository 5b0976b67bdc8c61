// The look of answers: tinted code, underlined drafts.

import SwiftInferCommand
import Testing

struct AnswerStyleTests {
    /// The output for a text, with short names of the styles.
    private func output(_ pieces: [(String, Bool)], tints: Bool = true, underlines: Bool = true) -> String {
        var style = AnswerStyle(tintsCode: tints, underlinesDrafts: underlines)
        let output = pieces.map { style.append([(text: $0, isDrafted: $1)]) }.joined() + style.flush()
        return output.replacing("\u{1B}[36m", with: "{").replacing("\u{1B}[4m", with: "<").replacing(
            "\u{1B}[36;4m", with: "{<"
        ).replacing("\u{1B}[0m", with: "}")
    }

    private func tinted(_ text: String) -> String { output([(text, false)]) }

    @Test(arguments: [
        ("a\n```swift\nlet x\n```\nb", "a\n{```swift\nlet x\n```\n}b"), ("```\nx", "{```\nx}"),
        ("a ```b``` c", "a ```b``` c"), ("  ~~~\nx\n~~~ \ny", "{  ~~~\nx\n~~~ \n}y"), ("``\nx", "``\nx"),
        ("````\n```\n````\nx", "{````\n```\n````\n}x"), ("    ```\nx", "    ```\nx"),
        ("```\n~~~\n```\nx", "{```\n~~~\n```\n}x"),
        ("`x`\n", "`x`\n"), ("", ""),
    ])
    func codeIsTinted(text: String, expected: String) {
        #expect(tinted(text) == expected)
        // However it arrives, the characters and their styles are the same.
        let single = output(text.map { (String($0), false) })
        #expect(single.filter { $0 != "{" && $0 != "}" } == text)
        #expect(single.replacing("}{", with: "") == expected)
        #expect(output([(text, false)], tints: false) == text)
    }

    @Test func draftsAreUnderlined() {
        #expect(output([("a", false), ("b", true), ("\nc", true)]) == "a<b}\n<c}")
        #expect(output([("```\n", false), ("x", true)]) == "{```\n}{<x}")
        #expect(output([("a", true)], underlines: false) == "a")
    }

    @Test func controlCharactersDoNotReachTheTerminal() {
        #expect(output([("a\u{1B}[2J\u{7}\r\n\tb", false)]) == "a\u{FFFD}[2J\u{FFFD}\n\tb")
    }

    @Test func marksFollowTheTextOfTheTokens() {
        var marks = DraftMarks()
        for (token, isDrafted) in [("<think>", false), ("so", true), ("</think>", false), ("Hel", true), ("lo", false)]
        {
            marks.append(Array(token.utf8), isDrafted: isDrafted)
        }
        func text(_ spans: [AnswerStyle.Span]) -> [String] { spans.map { $0.isDrafted ? "<\($0.text)>" : $0.text } }
        #expect(text(marks.spans(of: "Hell")) == ["<Hel>", "l"])
        #expect(text(marks.spans(of: "o")) == ["o"])
        #expect(text(marks.spans(of: "more")) == ["more"])
        // A character of two tokens counts as the last one.
        marks.append([0xC3], isDrafted: false)
        marks.append([0xA9], isDrafted: true)
        #expect(text(marks.spans(of: "é")) == ["<é>"])
    }
}
