// The line editor: texts and terminal output for typed keys.

import SwiftInferCommand
import Testing

struct LineEditorTests {
    /// Types `keys`.
    ///
    /// - Returns: The complete texts, with "end" for Ctrl-D at an empty line; the rest; and the output for the terminal.
    private func type(
        _ keys: String, redraws: Bool = true, columns: Int = 80
    ) -> (texts: [String], rest: String, output: String) {
        var editor = LineEditor(promptColumns: 2, redraws: redraws)
        editor.columns = columns
        var texts: [String] = []
        var output: [UInt8] = []
        for byte in keys.utf8 {
            switch editor.take(byte) {
            case .text(let text): texts.append(text)
            case .end: texts.append("end")
            case nil: break
            }
            output += editor.takeOutput()
        }
        return (texts, editor.finish(), String(decoding: output, as: UTF8.self))
    }

    @Test func linesOfAnyLengthArriveWhole() {
        let line = String(repeating: "ab ", count: 2000) + "END"
        #expect(type(line + "\r" + line + "\n").texts == [line, line])
    }

    @Test(arguments: [
        ("ab\u{7F}c\r", "ac"), ("né\u{7F}\u{8}m\r", "m"), ("数字\u{7F}\r", "数"), ("👩‍👩‍👧x\u{7F}\u{7F}y\r", "y"),
        ("a b\u{15}c\r", "c"), ("one two  \u{17}three\r", "one three"), ("\u{7F}\u{15}\u{17}a\r", "a"),
        ("a\u{4}b\r", "ab"),
    ])
    func keysErase(keys: String, text: String) {
        #expect(type(keys).texts == [text])
        #expect(type(keys, redraws: false).texts == [text])
    }

    @Test func endComesOnlyAtAnEmptyLine() {
        #expect(type("\u{4}").texts == ["end"])
        #expect(type("a\u{7F}\u{4}").texts == ["end"])
    }

    @Test func pastedLinesAreOneText() {
        let pasted = "\u{1B}[200~def f(x):\r\n\treturn x\r\rWhat?\u{3}\u{4}\n\u{1B}[201~"
        #expect(type(pasted + "Go\r").texts == ["def f(x):\n\treturn x\n\nWhat?\nGo"])
        #expect(type(pasted).rest == "def f(x):\n\treturn x\n\nWhat?\n")
        // Erasing works across lines.
        #expect(type("\u{1B}[200~a\nb\u{1B}[201~\u{7F}\u{7F}c\r").texts == ["ac"])
    }

    @Test func otherKeysAreIgnored() {
        #expect(type("a\u{1B}[A\u{1B}[1;5C\u{1B}OP\u{1B}xb\u{1}\u{0}\r").texts == ["ab"])
    }

    @Test func textIsShownOnce() {
        #expect(type("ab\r").output == "ab\n")
        #expect(type("ab\u{7F}\r", redraws: false).output == "ab\u{8} \u{8}\n")
        #expect(type("数\u{7F}\r", redraws: false).output == "数\u{8} \u{8}\u{8} \u{8}\n")
    }

    /// Five columns have room for three characters after the prompt.
    @Test func erasingGoesBackUp() {
        #expect(type("abc", columns: 5).output == "abc \r")
        #expect(type("abcd\u{7F}", columns: 5).output == "abc \rd\r\u{1B}[J")
        #expect(type("abcd\u{15}", columns: 5).output == "abc \rd\u{1B}[1A\r\u{1B}[2C\u{1B}[J")
    }
}
