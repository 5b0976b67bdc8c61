// The interactive mode of `swiftinfer run --chat`, on a pseudo-terminal.

import Foundation
import TestSupport
import Testing

struct ConversationTests {
    private func converse(
        _ options: [String] = [], typing lines: String..., whileRunning: ((RunningCommand) throws -> Void)? = nil
    ) throws -> Command {
        let terminal = try PseudoTerminal()
        for line in lines { try terminal.type(line) }
        return try Command(
            ["run", Fixture.qwen, "--chat"] + options, terminal: terminal, whileRunning: whileRunning)
    }

    @Test func answersUntilExit() throws {
        let run = try converse(
            ["-n", "6", "--ignore-eos", "--temperature", "0"], typing: "hello", "/stats", "/regen", "/clear", "/exit")
        #expect(run.status == 0)
        let answers = run.output.split(separator: "\n", omittingEmptySubsequences: false)
        // At temperature 0 the second answer equals the first.
        let half = run.output.prefix(run.output.count / 2)
        #expect(answers.count >= 3)
        #expect(run.output == half + half)
        #expect(run.errors.contains("tokens/s"))
        #expect(run.errors.contains("forgotten"))
    }

    @Test func laterTurnsReuseThePrefix() throws {
        let run = try converse(
            ["-n", "6", "--ignore-eos", "--stats"], typing: "one two three", "and \\", "four", "/exit")
        #expect(run.status == 0)
        let accounts = run.errors.split(separator: "\n").filter { $0.contains("tokens/s") }
        #expect(accounts.count == 2)
        #expect(accounts.last?.contains("reused") == true)
    }

    @Test func emptyAndUnknownLinesDoNothing() throws {
        let run = try converse(typing: "", "/nonsense", "/regen", "/help", "/exit")
        #expect(run.status == 0)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("/nonsense is not a command"))
        #expect(run.errors.contains("/clear "))
    }

    @Test func fullContextKeepsTheConversationAlive() throws {
        let run = try converse(
            ["--context", "48", "-n", "4"], typing: String(repeating: "long ", count: 60), "/stats", "/exit")
        #expect(run.status == 0)
        #expect(run.errors.contains("taken back"))
    }

    @Test func interruptStopsTheAnswerThenTheProgram() throws {
        let run = try converse(["-n", "-1", "--ignore-eos", "--context", "200000"], typing: "go on") { running in
            while try running.output.isEmpty, running.process.isRunning { usleep(10_000) }
            running.process.interrupt()
            while try !running.errors.contains("(stopped)"), running.process.isRunning { usleep(10_000) }
            running.process.interrupt()
        }
        #expect(run.status == 130)
        #expect(run.errors.contains("(stopped)"))
    }

    /// In its own line mode, a terminal cuts the line at 4,095 bytes.
    @Test func longLinesArriveWhole() throws {
        let terminal = try PseudoTerminal()
        let run = try Command(
            ["run", Fixture.qwen, "--chat", "-n", "1", "--context", "8192", "--stats"], terminal: terminal
        ) { running in
            try waitForPrompt(running)
            try terminal.type(String(repeating: "ab ", count: 2000) + "END", "/exit")
        }
        #expect(run.status == 0)
        #expect(try promptTokens(run).count == 1)
        #expect(try #require(promptTokens(run).first) >= 2000)
    }

    @Test func pastedLinesAreOneMessage() throws {
        let run = try converse(
            ["-n", "1", "--stats"], typing: "\u{1B}[200~def f(x):\n    return x\n\nWhat?\u{1B}[201~", "/quit")
        #expect(run.status == 0)
        #expect(try promptTokens(run).count == 1)
    }

    @Test(arguments: ["/bye", "/quit", "/exit"]) func allExitCommandsWork(command: String) throws {
        let run = try converse(typing: "/?", command)
        #expect(run.status == 0)
        #expect(run.errors.contains("/regen "))
    }

    /// The terminal has its own settings again after every kind of end.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, 0]) func terminalSettingsAreRestored(signal: Int32) throws {
        let terminal = try PseudoTerminal()
        let before = try terminal.localModes
        let run = try Command(["run", Fixture.qwen, "--chat"], terminal: terminal) { running in
            try waitForPrompt(running)
            #expect(try terminal.localModes != before)
            if signal == 0 { try terminal.type("/exit") } else { kill(running.process.processIdentifier, signal) }
        }
        #expect(run.status == (signal == 0 ? 0 : 128 + signal))
        #expect(try terminal.localModes == before)
    }

    private func waitForPrompt(_ running: RunningCommand) throws {
        while try !running.errors.contains("> "), running.process.isRunning { usleep(10_000) }
    }

    /// The lengths of the prompts that `--stats` prints.
    private func promptTokens(_ run: Command) throws -> [Int] {
        run.errors.matches(of: /prompt (\d+) tokens/).compactMap { Int($0.1) }
    }

    @Test func conversationBeginsWithoutAnOption() throws {
        let terminal = try PseudoTerminal()
        try terminal.type("/system Be brief.", "/system", "/set temperature 0", "/set n 4", "hello", "/show", "exit")
        let run = try Command(["run", Fixture.qwen, "--ignore-eos"], terminal: terminal)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("Be brief.\n") && run.errors.contains("temperature is 0.0"))
        #expect(run.errors.contains("(ended after 4 tokens)"))
        #expect(!run.output.isEmpty)
    }

    @Test func modelWithoutTemplateContinuesTexts() throws {
        let terminal = try PseudoTerminal()
        try terminal.type("def f(", "/regen", "/q")
        let run = try Command(
            ["run", Fixture.path("tiny-starcoder2-f32"), "-n", "5", "--ignore-eos"], terminal: terminal)
        let single = try Command("run", Fixture.path("tiny-starcoder2-f32"), "def f(", "-n", "5", "--ignore-eos")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == single.output + "\n" + single.output + "\n")
    }

    @Test func oldestTurnsAreForgottenOnce() throws {
        let questions = Array(repeating: "one two three four five six", count: 8)
        let terminal = try PseudoTerminal()
        for line in questions + ["/show", "/exit"] { try terminal.type(line) }
        let run = try Command(
            ["run", Fixture.qwen, "--context", "128", "-n", "8", "--ignore-eos"], terminal: terminal)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.matches(of: /oldest turns are forgotten/).count == 1)
        #expect(run.errors.contains("messages forgotten"))
        #expect(!run.errors.contains("taken back"))
    }

    @Test func answersGoOnInAFullContext() throws {
        let terminal = try PseudoTerminal()
        try terminal.type("/set n 10", "one two three four", "/set n 90", "five six", "/exit")
        let run = try Command(
            ["run", Fixture.qwen, "--context", "128", "--ignore-eos", "--no-loop-stop"], terminal: terminal)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("oldest turns are forgotten"))
        #expect(run.errors.contains("(ended after 10 tokens)") && run.errors.contains("(ended after 90 tokens)"))
    }

    @Test func historyIsKeptForEachModel() throws {
        let folder = try TemporaryFolder()
        func converse(_ options: [String], _ environment: [String: String] = [:]) throws -> Command {
            let terminal = try PseudoTerminal()
            try terminal.type("/system a \\", "b", "/exit")
            return try Command(
                ["run", Fixture.qwen] + options, terminal: terminal,
                environment: ["XDG_STATE_HOME": folder.url.path].merging(environment) { $1 })
        }
        let file = folder.path("swiftinfer/history/tiny-qwen2-f32")
        _ = try converse(["--no-history"])
        _ = try converse([], ["SWIFTINFER_NOHISTORY": "1"])
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(try converse([]).errors.contains(file))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "/system a \\nb\n/exit\n")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // Where it is kept is said once.
        #expect(try !converse([]).errors.contains(file))
    }

    @Test func conversationsAreSavedAndLoaded() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("talk.json")
        let saved = try converse(["-n", "4"], typing: "hello", "/save \(file)", "/exit")
        #expect(saved.errors.contains("2 messages are saved"))
        let loaded = try converse(["-n", "4"], typing: "/load \(file)", "/undo", "/exit")
        #expect(loaded.errors.contains("2 messages are loaded") && loaded.errors.contains("Taken back: hello"))
        let other = try folder.write("other.txt", "text")
        #expect(
            try converse(typing: "/save \(other)", "/load \(other)", "/exit").errors.contains("no saved conversation"))
        #expect(try String(contentsOfFile: other, encoding: .utf8) == "text")
    }

    @Test func modelWithoutTemplateIsRefused() throws {
        let run = try Command("run", Fixture.path("tiny-starcoder2-f32"), "--chat", "hello")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("template"))
    }
}
