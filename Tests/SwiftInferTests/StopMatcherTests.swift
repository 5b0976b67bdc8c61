// Stop strings in text that comes in pieces.

import SwiftInfer
import Testing

@Suite struct StopMatcherTests {
    /// The text that is shown of `pieces`, and whether a stop string ended it.
    private func shown(_ pieces: [String], _ stops: [String]) -> (text: String, isStopped: Bool) {
        var matcher = StopMatcher(stops)
        let text = pieces.map { matcher.append($0) }.joined() + matcher.flush()
        return (text, matcher.isStopped)
    }

    /// Every way to cut `text` in three pieces at scalar borders.
    private func cuts(_ text: String) -> [[String]] {
        let borders = Array(text.unicodeScalars.indices) + [text.endIndex]
        return borders.flatMap { first in
            borders.filter { $0 >= first }.map { second in
                [String(text[..<first]), String(text[first..<second]), String(text[second...])]
            }
        }
    }

    @Test(arguments: [
        ("one\n\ntwo", ["\n\n"], "one"),
        ("aaab", ["aab"], "a"),
        ("abab·abc", ["abc"], "abab·"),
        ("say 数字! end", ["字!"], "say 数"),
        ("🙂🙃🙂🙂", ["🙂🙂"], "🙂🙃"),
        ("e\u{301}tude", ["\u{301}t"], "e"),
        ("STOP", ["STOP"], ""),
        // The stop string that is complete first wins; of those that end together, the longest.
        ("xabcd", ["abcd", "bc"], "xa"),
        ("xabc", ["bc", "abc", "c"], "x"),
    ])
    func endsTheTextWhereverItIsCut(text: String, stops: [String], expected: String) {
        for pieces in cuts(text) {
            let result = shown(pieces, stops)
            #expect(result.isStopped)
            #expect(result.text.utf8.elementsEqual(expected.utf8), "cut as \(pieces)")
        }
    }

    @Test(arguments: [("ababab", ["abc"]), ("数数", ["数字"]), ("tail <|im_", ["<|im_end|>"]), ("any", [])])
    func textWithoutAStopStringComesWhole(text: String, stops: [String]) {
        for pieces in cuts(text) {
            let result = shown(pieces, stops)
            #expect(!result.isStopped)
            #expect(result.text == text)
        }
    }

    @Test func withholdsOnlyWhatMayBecomeAStopString() {
        var matcher = StopMatcher(["</s>", "\n\n"])
        #expect(matcher.append("a <") == "a ")
        #expect(matcher.append("/") == "")
        #expect(matcher.append("b") == "</b")
        #expect(matcher.append("\n") == "")
        #expect(matcher.append("c") == "\nc")
        #expect(matcher.append("\n") == "")
        #expect(matcher.append("\nrest") == "")
        #expect(matcher.isStopped)
        #expect(matcher.append("more") == "")
        #expect(matcher.flush() == "")
    }
}
