// `swiftinfer edit`: differences of texts, what answers make of files, and the command through the built program.

import Foundation
import InferSupport
import SwiftInferCommand
import TestSupport
import Testing

struct UnifiedDiffTests {
    @Test func equalTextsHaveNoDifference() {
        #expect(UnifiedDiff(from: "a\nb", to: "a\nb").isEmpty)
        #expect(UnifiedDiff(from: "", to: "").text(name: "x").isEmpty)
    }

    @Test func changesHaveThreeLinesAround() {
        let old = (1...20).map { "\($0)\n" }.joined()
        let new = old.replacing("10\n", with: "ten\n")
        let text = UnifiedDiff(from: old, to: new).text(name: "n.txt").joined()
        #expect(
            text == """
                --- a/n.txt
                +++ b/n.txt
                @@ -7,7 +7,7 @@
                 7
                 8
                 9
                -10
                +ten
                 11
                 12
                 13

                """)
    }

    @Test func theEndOfTheFileCanLackALineFeed() {
        let text = UnifiedDiff(from: "a", to: "a\n").text(name: "x").joined()
        #expect(text.hasSuffix("@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"))
    }

    @Test func equalCharactersOfOtherBytesDiffer() {
        #expect(!UnifiedDiff(from: "\u{E9}\n", to: "e\u{301}\n").isEmpty)
    }

    /// `git apply` makes the new text of the old one and the difference.
    @Test func gitAppliesRandomDifferences() throws {
        var random = SeededGenerator(7)
        // Names that git writes as they are, with a tab behind them, and in quotation marks.
        let names = ["f", "a b", "é.py", "q\"t\té", "back\\slash", "line\nfeed"]
        for round in 0..<30 {
            let name = names[round % names.count]
            func lines() -> [String] {
                (0..<Int(random.next() % 30)).map { _ in ["a", "b", "", "é", "x\r"][Int(random.next() % 5)] + "\n" }
            }
            let middle = lines()
            func text(_ parts: [String]) -> String {
                let text = parts.joined()
                return random.next() % 3 == 0 ? String(text.dropLast()) : text
            }
            let old = text(lines() + middle + lines())
            let new = text(lines() + middle + lines())
            let diff = UnifiedDiff(from: old, to: new)
            guard !diff.isEmpty, !old.isEmpty, !new.isEmpty else { continue }
            let folder = try TemporaryFolder()
            let file = try folder.write(name, old)
            let patch = try folder.write("p", diff.text(name: name).joined())
            let git = Process()
            git.executableURL = URL(filePath: "/usr/bin/env")
            git.arguments = ["git", "apply", "--whitespace=nowarn", patch]
            git.currentDirectoryURL = folder.url
            try git.run()
            git.waitUntilExit()
            #expect(git.terminationStatus == 0)
            #expect(try Data(contentsOf: URL(filePath: file)) == Data(new.utf8), "\(old.debugDescription)")
        }
    }
}

struct FileEditTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func edit(_ text: String, _ lines: String = "") throws -> FileEdit {
        try FileEdit(#require(FileLines(argument: folder.write("a.py", text) + lines)))
    }

    @Test func linesFollowTheName() throws {
        #expect(FileLines(argument: "a:b.py")?.file == "a:b.py")
        #expect(FileLines(argument: "a.py:3")?.lines == 3...3)
        #expect(FileLines(argument: "a.py:3-5")?.lines == 3...5)
        for wrong in ["", "a.py:0", "a.py:5-3", "a.py:99999999999999999999"] {
            #expect(FileLines(argument: wrong) == nil)
        }
    }

    @Test func theBlockIsTheNewText() throws {
        let edit = try edit("a = 1\nb = 2\n")
        #expect(try edit.text(from: "Here:\n```python\na = 1\nb = 3\n```\nDone.") == "a = 1\nb = 3\n")
        #expect(try edit.text(from: "```\n```") == "")
        for wrong in ["b = 3", "```\nb = 3\n", "```\na\n```\nor\n```\nb\n```"] {
            #expect(throws: InferenceError.self) { try edit.text(from: wrong) }
        }
    }

    @Test func onlyTheLinesChange() throws {
        let edit = try edit("a\nb\nc\nd", ":2-3")
        #expect(edit.part == "b\nc\n")
        #expect(try edit.text(from: "```\nB\n```") == "a\nB\nd")
        #expect(try self.edit("a\nb", ":2").text(from: "```\nB\n```") == "a\nB")
        #expect(throws: InferenceError.self) { try self.edit("a\nb\n", ":3") }
    }

    @Test func marksOfTheFileStay() throws {
        #expect(try edit("\u{FEFF}a\r\nb\r\n").text(from: "```\nA\nb\n```") == "\u{FEFF}A\r\nb\r\n")
        #expect(try edit("a").text(from: "```\nb\n```") == "b")
        let both = try edit("a\r\nb\n")
        #expect(both.oldText == "a\r\nb\n")
    }

    @Test func aFenceInTheFileIsNotTheEnd() throws {
        let edit = try edit("# T\n```\nx\n```\n")
        #expect(edit.fence == "````")
        #expect(try edit.text(from: "````\n# U\n```\nx\n```\n````") == "# U\n```\nx\n```\n")
        #expect(throws: InferenceError.self) { try edit.text(from: "```\n# U\n```") }
    }

    @Test func aFileThatChangedIsNotWritten() throws {
        let edit = try edit("a\n")
        try edit.write("b\n")
        #expect(try String(contentsOfFile: edit.path, encoding: .utf8) == "b\n")
        #expect(throws: InferenceError.self) { try edit.write("c\n") }
        #expect(try String(contentsOfFile: edit.path, encoding: .utf8) == "b\n")
    }

    @Test func whatIsNoTextIsRefused() throws {
        let file = try folder.file("b", Data([0x61, 0xFF])).path
        #expect(throws: InferenceError.self) { try FileEdit(#require(FileLines(argument: file))) }
    }
}

struct EditCommandTests {
    @Test func anAnswerWithoutABlockChangesNothing() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.py", "a = 1\n")
        let run = try Command(
            "edit", Fixture.path("tiny-qwen2-f32"), file, "-m", "rename a", "--write", "-c", "256", "--chat-template",
            "chatml")
        #expect(run.status == 1 && run.output.isEmpty && run.errors.contains("swiftinfer: error: "))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "a = 1\n")
    }

    @Test func wrongUse() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.py", "a = 1\n")
        let model = Fixture.path("tiny-qwen2-f32")
        #expect(try Command("edit", model, file, "-m", " ").status == 64)
        #expect(try Command("edit", model, file + ":4", "-m", "x").isCleanFailure)
        #expect(try Command("edit", model, folder.path("none"), "-m", "x").isCleanFailure)
    }
}
