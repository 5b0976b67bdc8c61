// The interactive mode of `swiftinfer run --chat`, on a pseudo-terminal.

import Foundation
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
        let run = try converse(["-n", "6", "--ignore-eos"], typing: "hello", "/stats", "/regen", "/clear", "/exit")
        #expect(run.status == 0)
        let answers = run.output.split(separator: "\n", omittingEmptySubsequences: false)
        // At temperature 0 the second answer is the first one again.
        let half = run.output.prefix(run.output.count / 2)
        #expect(answers.count >= 3)
        #expect(run.output == half + half)
        #expect(run.errors.contains("tokens/s"))
        #expect(run.errors.contains("forgotten"))
    }

    @Test func laterTurnsReuseWhatWasRead() throws {
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

    @Test func modelWithoutTemplateIsRefused() throws {
        let run = try Command("run", Fixture.path("tiny-starcoder2-f32"), "--chat", "hello")
        #expect(run.isCleanFailure)
        #expect(run.errors.contains("template"))
    }
}
