// The messages of errors: descriptions, and escaping of unsafe characters.

import Foundation
import InferSupport
import Testing

@Suite struct InferenceErrorTests {
    @Test func localizedDescriptionIsTheMessage() {
        let error: any Error = InferenceError(.contextFull, "the context is full")
        #expect(error.localizedDescription == "the context is full")
        let caused: any Error = InferenceError(.busy, "not now", cause: error)
        #expect(caused.localizedDescription == "not now: the context is full")
    }

    @Test(
        "characters that control a terminal are escaped",
        arguments: [
            ("\u{1b}[31mred", "\\u{1b}[31mred"), ("a\nb\tc\rd", "a\\u{a}b\\u{9}c\\u{d}d"), ("\u{9b}2J", "\\u{9b}2J"),
            ("\u{202e}txt.fugg", "\\u{202e}txt.fugg"), ("\u{7f}\0", "\\u{7f}\\u{0}"), ("\u{2028}", "\\u{2028}"),
            ("naïve 🦙 模型 e\u{301}", "naïve 🦙 模型 e\u{301}"),
        ])
    func escapes(name: String, expected: String) throws {
        let error = InferenceError(.unreadableFile, "cannot open \(name)")
        #expect(error.message == "cannot open \(expected)")
        let caused = InferenceError(.unreadableFile, "no", cause: Foreign(description: name))
        #expect(caused.description == "no: \(expected)")
        let missing = try #require(throws: InferenceError.self) { try MappedFile(path: "/none/\(name)") }
        #expect(missing.message.contains(expected) && missing.code == .unreadableFile)
    }

    @Test("a long path is not truncated")
    func longPaths() {
        let path = String(repeating: "folder/", count: 100) + "é.gguf"
        #expect(InferenceError(.unreadableFile, path).message == path)
    }

    private struct Foreign: Error, CustomStringConvertible { let description: String }
}
