// The line editor: texts from keys, and what the terminal shows.

import SwiftInferCommand
import Testing

/// An editor at a terminal.
private struct Desk {
    var editor: LineEditor
    var screen: ScreenEmulator
    private(set) var texts: [String] = []

    init(columns: Int = 80, rows: Int = 24, history: [String] = [], redraws: Bool = true) {
        editor = LineEditor(redraws: redraws, history: InputHistory(history))
        screen = ScreenEmulator(columns: columns, rows: rows)
        editor.resize(columns: columns, rows: rows)
        screen.write("above\r\n")
        begin()
    }

    mutating func begin() {
        if editor.takeOutput() != "" { Issue.record("there was output before the prompt") }
        editor.begin(prompt: "> ")
        screen.write(editor.takeOutput())
    }

    mutating func type(_ keys: String) {
        for byte in keys.utf8 {
            let event = editor.take(byte)
            screen.write(editor.takeOutput())
            switch event {
            case .text(let text): texts.append(text)
            case .end: texts.append("end")
            case nil: continue
            }
            begin()
        }
    }
}

private func typed(_ keys: String, history: [String] = [], redraws: Bool = true) -> [String] {
    var desk = Desk(history: history, redraws: redraws)
    desk.type(keys)
    return desk.texts
}

private let (up, down, right, left) = ("\u{1B}[A", "\u{1B}[B", "\u{1B}[C", "\u{1B}[D")
private let (home, end, delete, erase) = ("\u{1B}[H", "\u{1B}[F", "\u{1B}[3~", "\u{7F}")

private func pasted(_ text: String) -> String { "\u{1B}[200~\(text)\u{1B}[201~" }

struct LineEditorTests {
    @Test func linesOfAnyLengthArriveWhole() {
        let line = String(repeating: "ab ", count: 2000) + "END"
        var editor = LineEditor(redraws: true)
        editor.begin(prompt: "> ")
        let events = (line + "\r" + line + "\n").utf8.compactMap { editor.take($0) }
        #expect(events == [.text(line), .text(line)])
    }

    @Test(arguments: [
        ("ab\u{7F}c\r", "ac"), ("né\u{7F}\u{8}m\r", "m"), ("数字\u{7F}\r", "数"), ("👩‍👩‍👧x\u{7F}\u{7F}y\r", "y"),
        ("a b\u{15}c\r", "c"), ("one two  \u{17}three\r", "one three"), ("\u{7F}\u{15}\u{17}a\r", "a"),
        ("a\u{4}b\r", "ab"), ("e\u{301}x\u{7F}\u{7F}o\r", "o"),
    ])
    func keysErase(keys: String, text: String) {
        #expect(typed(keys) == [text])
        #expect(typed(keys, redraws: false) == [text])
    }

    @Test(arguments: [
        ("ac\(left)b\r", "abc"), ("bc\(home)a\(end)d\r", "abcd"), ("bc\u{1}a\u{5}d\r", "abcd"),
        ("ab\(left)\(delete)c\r", "ac"),
        ("one three\u{1B}btwo \r", "one two three"), ("one two\u{1}\u{1B}[1;5Cx\r", "onex two"),
        ("one two\u{1}\u{1B}dx\r", "x two"), ("one.two\u{1B}\u{7F}x\r", "one.x"), ("ab\(left)\(left)\u{B}cd\r", "cd"),
        ("ab cd\u{17}\u{17}x\u{19}\r", "xab cd"), ("ab\u{1}\u{B}\u{19}\u{19}\r", "abab"), ("数\(left)字\r", "字数"),
        ("e\u{301}\(left)x\r", "xe\u{301}"), ("ab\(left)\u{4}c\r", "ac"), ("a\u{0}\u{1B}[1;9Zb\r", "ab"),
        ("\u{1B}OHb\u{1B}[1~a\u{1B}[4~c\r", "abc"), ("a\u{1B}\u{1B}[Db\r", "ba"),
    ])
    func keysEdit(keys: String, text: String) { #expect(typed(keys) == [text]) }

    @Test func endComesOnlyAtAnEmptyText() {
        #expect(typed("\u{4}") == ["end"])
        #expect(typed("a\u{7F}\u{4}") == ["end"])
        #expect(typed("\u{4}", redraws: false) == ["end"])
    }

    @Test func invalidBytesDoNotEndTheText() {
        var editor = LineEditor(redraws: true)
        editor.begin(prompt: "> ")
        let bytes: [UInt8] = [0x61, 0xC3, 0x62, 0xFF, 0xE6, 0x95, 0x63, 0x0D]
        let events = bytes.compactMap { editor.take($0) }
        #expect(events == [.text("a\u{FFFD}b\u{FFFD}\u{FFFD}c")])
    }

    // MARK: Several lines

    @Test func pastedLinesAreOneText() {
        let text = pasted("def f(x):\r\n\treturn x\r\rWhat?\u{3}\u{4}\n")
        #expect(typed(text + "Go\r") == ["def f(x):\n\treturn x\n\nWhat?\nGo"])
        #expect(typed(text + "Go\r", redraws: false) == ["def f(x):\n\treturn x\n\nWhat?\nGo"])
        // Erasing works across lines.
        #expect(typed(pasted("a\nb") + "\u{7F}\u{7F}c\r") == ["ac"])
        #expect(typed(pasted("\u{1B}[Aa\u{1B}b") + "\r") == ["a"])
    }

    @Test(arguments: [
        ("a\u{1B}\rb\r", "a\nb"), ("a\\\rb\r", "a\nb"), ("\"\"\"\ra\r\rb\r\"\"\"\r", "a\n\nb"),
        ("\"\"\"a\"\"\"\r", "a"),
        ("  \"\"\"a\rb\"\"\" \r", "a\nb"), ("a \"\"\"\r", "a \"\"\""), ("a\u{1B}[13;2ub\r", "a\nb"),
    ])
    func linesCanBeJoined(keys: String, text: String) {
        #expect(typed(keys) == [text])
        #expect(typed(keys, redraws: false) == [text])
    }

    @Test func cursorMovesBetweenLines() {
        #expect(typed(pasted("abc\nd\nefg") + "\(up)x\(up)y\(down)z\r") == ["abyc\ndxz\nefg"])
        #expect(typed(pasted("ab\ncd") + "\u{15}\u{15}x\r") == ["abx"])
        #expect(typed(pasted("ab\ncd") + "\(up)\u{B}x\r") == ["abxcd"])
    }

    // MARK: History

    @Test func historyIsWalked() {
        #expect(typed("\(up)\(up)\r", history: ["one", "two"]) == ["one"])
        #expect(typed("new\(up)\(up)\(up)\(down)\(down)er\r", history: ["one", "two"]) == ["newer"])
        #expect(typed("\u{10}\u{10}\u{E}!\r", history: ["one", "two"]) == ["two!"])
        #expect(typed("x\u{1B}<\r", history: ["one", "two"]) == ["one"])
        // Of a text of two lines the upper one comes first.
        #expect(typed("\(up)\(up)x\(up)\r", history: ["one", "a\nb"]) == ["one"])
    }

    @Test func historyIsSearched() {
        let history = ["swift build", "swift test", "git log"]
        #expect(typed("\u{12}swift\r", history: history) == ["swift test"])
        #expect(typed("\u{12}SWIFT\u{12}\r", history: history) == ["swift build"])
        #expect(typed("\u{12}swift\u{12}\u{12}\u{12}\r", history: history) == ["swift build"])
        #expect(typed("abc\u{12}log\u{7}d\r", history: history) == ["abcd"])
        #expect(typed("\u{12}log\(left)\u{17}x\r", history: history) == ["git xg"])
        #expect(typed("abc\u{12}nothing\r", history: history) == ["abc"])
        #expect(typed("\u{12}lox\u{7F}\r", history: history) == ["git log"])
    }

    // MARK: Completion

    @Test func wordsAreCompleted() {
        var desk = Desk(columns: 30)
        desk.editor.complete = { before in
            guard before.hasPrefix("/") else { return nil }
            return .init(
                replaced: before.count, choices: ["/clear", "/read", "/regen", "/src/"].filter { $0.hasPrefix(before) })
        }
        desk.type("/c\t1\r/re\tx\r/s\ty\r/x\t\ra\tb\r")
        #expect(desk.texts == ["/clear 1", "/rex", "/src/y", "/x", "a\tb"])
        desk.type("/r\t\t")
        #expect(desk.screen.texts.suffix(3) == ["> /re", "/read   /regen", "> /re"])
    }

    // MARK: The terminal

    @Test func textIsShown() {
        var desk = Desk(columns: 20, rows: 6)
        desk.type("hello 数字")
        #expect(desk.screen.texts == ["above", "> hello 数字"])
        desk.type("\u{1}x")
        #expect(desk.screen.texts == ["above", "> xhello 数字"])
        #expect(desk.screen.column == 3)
        desk.type("\u{B}" + pasted("a\n\tb") + "\r")
        #expect(desk.screen.texts == ["above", "> xa", ".       b", ">"])
    }

    @Test func searchIsShown() {
        var desk = Desk(columns: 40, history: ["one", "two"])
        desk.type("\u{12}o")
        #expect(desk.screen.texts == ["above", "search: o  two"])
        desk.type("z")
        #expect(desk.screen.texts == ["above", "nothing with oz"])
        desk.type("\u{7}")
        #expect(desk.screen.texts == ["above", ">"])
    }

    @Test func longTextsFillTheScreenAndAreLeftWhole() {
        var desk = Desk(columns: 10, rows: 4)
        desk.type(pasted((1...9).map { "line \($0)" }.joined(separator: "\n")))
        #expect(desk.screen.texts == [". line 6", ". line 7", ". line 8", ". line 9"])
        desk.type(String(repeating: up, count: 8))
        #expect(desk.screen.texts == ["> line 1", ". line 2", ". line 3", ". line 4"])
        desk.type("\r")
        #expect(desk.screen.texts == [". line 7", ". line 8", ". line 9", ">"])
        #expect(desk.texts == [(1...9).map { "line \($0)" }.joined(separator: "\n")])
    }

    @Test func clearingBeginsAtTheTop() {
        var desk = Desk()
        desk.type("abc\u{C}")
        #expect(desk.screen.texts == ["> abc"])
    }

    @Test func terminalsThatCannotRedrawGetTheTextOnce() {
        func output(_ keys: String) -> String {
            var editor = LineEditor(redraws: false)
            editor.begin(prompt: "> ")
            var output = ""
            for byte in keys.utf8 {
                _ = editor.take(byte)
                output += editor.takeOutput()
            }
            return output
        }
        #expect(output("ab\r") == "ab\n")
        #expect(output("ab\u{7F}\r") == "ab\u{8} \u{8}\n")
        #expect(output("数\u{7F}\r") == "数\u{8} \u{8}\u{8} \u{8}\n")
        #expect(output("a\tb\u{7F}\u{7F}") == "a\tb\u{8} \u{8}" + String(repeating: "\u{8} \u{8}", count: 5))
        #expect(output("a\\\rb\r") == "a\\\u{8} \u{8}\n. b\n")
        #expect(output("a\(left)\(up)\u{1}\u{12}b\r") == "ab\n")
    }

    /// Whatever is typed, the terminal shows the layout of the text, and what is above stays.
    @Test(arguments: 0..<6) func screenIsThatOfTheText(seed: Int) {
        var generator = SystemSequence(seed: UInt64(seed))
        let keys = [
            "a", "b ", "word ", "数", "é", "e\u{301}", "👩‍👩‍👧", "🇩🇪", "\t", left, left, right, up, down, home, end, erase,
            delete,
            "\u{17}", "\u{15}", "\u{B}", "\u{19}", "\u{1B}b", "\u{1B}f", "\u{1B}\r", pasted("x\ny"), "\u{12}o", "\u{7}",
        ]
        var desk = Desk(
            columns: [5, 8, 11, 40][seed % 4], rows: [3, 6, 12][seed % 3], history: ["one", "two\nthree"])
        for step in 0..<150 {
            desk.type(keys.randomElement(using: &generator) ?? "a")
            let layout = desk.editor.layout
            let offset = desk.screen.row - layout.cursor.row
            let rows = layout.rows.indices.filter { (0..<desk.screen.rows).contains($0 + offset) }
            let expected = rows.map { blankless(layout.rows[$0].text) }
            let found = rows.map { desk.screen.text($0 + offset) }
            #expect(found == expected, "seed \(seed), step \(step)")
            #expect(rows.count == min(layout.rows.count, desk.screen.rows))
            #expect(desk.screen.column == layout.cursor.column)
            #expect(desk.screen.unknown == [])
            if offset > 0 { #expect(desk.screen.text(offset - 1) == "above") }
            let below = layout.rows.count + offset
            for row in below..<max(below, desk.screen.rows) { #expect(desk.screen.text(row) == "") }
            if found != expected { return }
        }
    }

    private func blankless(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }

    @Test func resizingKeepsTheText() {
        var desk = Desk(columns: 20, rows: 8)
        desk.type("one two three four five")
        // The terminal wraps its lines anew.
        var wide = ScreenEmulator(columns: 40, rows: 8)
        wide.write("above\r\n> one two three four five")
        desk.screen = wide
        desk.editor.resize(columns: 40, rows: 8)
        desk.type(" six")
        #expect(desk.screen.texts == ["above", "> one two three four five six"])
        var narrow = ScreenEmulator(columns: 10, rows: 8)
        narrow.write("above\r\n> one two three four five six")
        desk.screen = narrow
        desk.editor.resize(columns: 10, rows: 8)
        desk.type("!\r")
        #expect(desk.screen.texts == ["above", "> one two", "three four", " five six!", ">"])
        #expect(desk.texts == ["one two three four five six!"])
    }
}

/// A sequence of numbers that is the same in each run.
private struct SystemSequence: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    }
}
