// What is typed in a conversation: commands, settings, completion, files.

import Foundation
import InferSupport
import SwiftInfer
import SwiftInferCommand
import TestSupport
import Testing

struct ConversationInputTests {
    @Test(
        arguments: [
            ("/help", .help, ""), (" /? ", .help, ""), ("/bye", .exit, ""), ("/q", .exit, ""), ("exit", .exit, ""),
            (":q", .exit, ""),
            ("/READ  a b.txt ", .read, "a b.txt"), ("/glob *.swift", .files, "*.swift"), ("/retry", .regen, ""),
            ("/set temperature 0.5", .set, "temperature 0.5"), ("/system Be\nbrief.", .system, "Be\nbrief."),
        ] as [(String, ConversationCommand, String)])
    func commandsAreRead(text: String, command: ConversationCommand, argument: String) {
        #expect(ConversationInput(text) == .command(command, argument: argument))
    }

    @Test(arguments: [
        "hello", "/etc/passwd is what?", "// a comment", "/* a */", "exit the loop", " x ", "/", "a /help",
    ])
    func messagesAreRead(text: String) { #expect(ConversationInput(text) == .message(text)) }

    @Test func otherNamesAreNoMessages() {
        #expect(ConversationInput("/regne it") == .unknown("/regne"))
        #expect(ConversationInput(" \n") == .nothing)
    }

    @Test func helpNamesEachCommandWithin80Columns() {
        let help = ConversationCommand.helpText
        for command in ConversationCommand.allCases { #expect(help.contains("/\(command.rawValue) ")) }
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    // MARK: Settings

    @Test func settingsAreChanged() throws {
        var settings = ConversationSettings(sampling: SamplingPreset.balanced.options)
        #expect(settings.list.first?.value == "balanced")
        for (name, value) in [
            ("temperature", "0.5"), ("top_k", "40"), ("seed", "7"), ("n", "9"), ("stop", "END"), ("show-drafts", "on"),
            ("loop-stop", "off"),
        ] {
            try settings.set(name, value)
        }
        let options = settings.options
        #expect(options.sampling.temperature == 0.5 && options.sampling.topK == 40 && options.sampling.seed == 7)
        #expect(options.maximumTokens == 9 && options.stop == ["END"] && options.reportsTokens && !options.stopsLoops)
        try settings.set("preset", "creative")
        #expect(settings.sampling == SamplingPreset.creative.options)
        let before = settings
        for (name, value) in [
            ("temperature", "-1"), ("temperature", "x"), ("n", "1.5"), ("preset", "wild"), ("colour", "1"),
        ] {
            #expect(throws: InferenceError.self) { try settings.set(name, value) }
        }
        #expect(settings == before)
        try settings.set("n", "-1")
        #expect(settings.maximumTokens == nil)
    }

    @Test func eachAnswerHasItsOwnSeed() {
        let settings = ConversationSettings(sampling: SamplingPreset.balanced.options)
        #expect(settings.options.sampling.seed != settings.options.sampling.seed)
    }

    // MARK: Completion

    @Test func commandsSettingsAndPathsAreCompleted() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("notes.txt", Data())
        _ = try folder.file(".hidden", Data())
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("sub"), withIntermediateDirectories: false)
        func choices(_ before: String) -> [String]? {
            ConversationCompletion.complete(before, settings: ["temperature", "top-k", "preset"])?.choices
        }
        let path = folder.url.path
        #expect(choices("/re") == ["/regen", "/read"].filter { $0.hasPrefix("/re") })
        #expect(choices("/read \(path)/no") == ["\(path)/notes.txt"])
        #expect(choices("/read \(path)/") == ["\(path)/notes.txt", "\(path)/sub/"])
        #expect(choices("/load \(path)/.h") == ["\(path)/.hidden"])
        #expect(choices("/set t") == ["temperature", "top-k"])
        #expect(choices("/set preset c") == ["creative"])
        #expect(choices("Explain \(path)/no") == ["\(path)/notes.txt"])
        #expect(choices("Explain this") == [])
        // Tab is a character at the beginning of a word.
        #expect(choices("") == nil && choices("a\n") == nil)
    }

    // MARK: Files

    @Test func filesStandBeforeTheQuestion() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("a.md", Data("text\n```\ncode\n```".utf8)).path
        var attachments = Attachments()
        try attachments.add(path: "'\(path)'")
        try attachments.add(path: path)
        #expect(attachments.message("Why?") == "\(path):\n````\ntext\n```\ncode\n```\n````\n\nWhy?")
        let binary = try folder.file("b", Data([0x61, 0]))
        #expect(throws: InferenceError.self) { try attachments.add(path: binary.path) }
        #expect(throws: InferenceError.self) { try attachments.add(path: path + ".missing") }
        #expect(attachments.files.count == 1)
    }

    @Test func filesAreFoundByPattern() throws {
        let folder = try TemporaryFolder()
        let sources = folder.url.appendingPathComponent("Sources/Deep")
        try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
        for name in ["Sources/a.swift", "Sources/Deep/b.swift", "Sources/c.txt", "Sources/key.pem"] {
            try Data("let x = 1\n".utf8).write(to: folder.url.appendingPathComponent(name))
        }
        func names(_ pattern: String) throws -> [String] {
            var attachments = Attachments()
            _ = try attachments.add(matching: folder.url.path + "/" + pattern)
            return attachments.files.map { String($0.name.dropFirst(folder.url.path.count + 1)) }
        }
        #expect(try names("Sources/*.swift") == ["Sources/a.swift"])
        #expect(try names("**/*.swift") == ["Sources/Deep/b.swift", "Sources/a.swift"])
        #expect(try names("Sources/**/[b-z].*") == ["Sources/Deep/b.swift", "Sources/c.txt"])
        #expect(try names("Sources").count == 3)
        #expect(throws: InferenceError.self) { try names("*.swift") }
    }
}
