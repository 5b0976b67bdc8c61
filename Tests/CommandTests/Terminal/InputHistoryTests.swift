// The history of typed texts, and the widths of characters.

import SwiftInferCommand
import Testing

struct InputHistoryTests {
    @Test func blankAndRepeatedTextsAreNotKept() {
        var history = InputHistory()
        for (text, isKept) in [("a", true), ("a", false), (" ", false), ("b", true), ("a", true)] {
            let wasKept = history.add(text)
            #expect(wasKept == isKept)
        }
        let isLongKept = history.add(String(repeating: "x", count: 1 << 17))
        #expect(!isLongKept)
        #expect(history.entries == ["a", "b", "a"])
    }

    @Test func oldestTextsAreDropped() {
        var history = InputHistory((0..<2000).map(String.init))
        #expect(history.entries.count == InputHistory.limit && history.entries.last == "1999")
        _ = history.add("new")
        #expect(history.entries.count == InputHistory.limit && history.entries.last == "new")
    }

    @Test(arguments: ["a", "a\nb", "\\", "\\n", "a\\\n\\b", "", "é数👩‍👩‍👧", "a\r\nb"]) func linesKeepTexts(text: String) {
        let line = InputHistory.line(of: text)
        #expect(line.hasSuffix("\n") && line.unicodeScalars.filter { $0 == "\n" }.count == 1)
        #expect(InputHistory.text(of: line.unicodeScalars.dropLast().map(String.init).joined()) == text)
    }

    @Test(arguments: [
        ("a", 1), ("é", 1), ("e\u{301}", 1), ("\u{301}", 0), ("数", 2), ("한", 2), ("\u{1112}\u{1161}\u{11AB}", 2),
        ("ｱ", 1),
        ("ア", 2), ("👍", 2), ("👍🏽", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("❤\u{FE0F}", 2), ("❤", 1), ("\u{200B}", 0), ("क्षि", 3),
        ("א", 1), ("…", 1), ("─", 1), ("\u{7F}", 0),
    ])
    func charactersHaveTheirColumns(text: String, columns: Int) { #expect(text.columns == columns) }
}
