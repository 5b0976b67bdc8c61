// The output of an answer while it is generated.

import ArgumentParser
import InferSupport
import SwiftInfer

/// An answer as far as it is generated.
struct Answer: Sendable {
    /// The text of the answer as the model wrote it.
    private(set) var text = ""
    /// The statistics of its last generation.
    private(set) var statistics = Statistics()

    private let printsText: Bool
    private let expectedTokens: Int?
    private var parser: AnswerParser?
    private var marks = DraftMarks()
    /// The look on a terminal; nil elsewhere, where the text is printed as it is.
    private var style: AnswerStyle?

    /// An answer that is not begun.
    ///
    /// - Parameters:
    ///   - printsText: Whether the text is printed to standard output as it is generated.
    ///   - parser: Finds the thoughts and tool calls in the answer. Without it, all is text.
    ///   - showsDrafts: Whether drafted tokens are underlined, if the generation reports tokens.
    ///   - expectedTokens: About how many tokens the answer will have: for a progress bar, if the generation reports tokens.
    init(printsText: Bool, parser: AnswerParser? = nil, showsDrafts: Bool = false, expectedTokens: Int? = nil) {
        self.printsText = printsText
        self.expectedTokens = expectedTokens
        self.parser = parser
        guard printsText, Terminal.isOutputInteractive else { return }
        let hasStyles = Terminal.allowsColorOfOutput
        style = AnswerStyle(tintsCode: hasStyles && parser != nil, underlinesDrafts: hasStyles && showsDrafts)
    }

    /// What is said of an answer that loops.
    static let loopMessage = "the answer repeats itself and was ended"

    /// The answer as a message of the conversation.
    var message: ChatMessage { parser?.message ?? ChatMessage(role: .assistant, content: text) }

    /// Runs `generation` to its end. Shows a progress bar while a long prompt is evaluated. If the task is cancelled, the answer
    /// ends early.
    ///
    /// - Returns: The answer with what was generated.
    func continued(by generation: Generation) async throws(InferenceError) -> Answer {
        let bar = ProgressBar("reading prompt")
        let answerBar = ProgressBar("writing")
        defer {
            bar.clear()
            answerBar.clear()
        }
        var answer = self
        var count = 0
        for try await event in generation {
            switch event {
            case .progress(let evaluated, let total):
                bar.update(Double(evaluated) / Double(max(total, 1)), note: "\(evaluated) of \(total) tokens")
            case .token(let token):
                answer.marks.append(token.bytes, isDrafted: token.isDrafted)
                count += 1
                if let expectedTokens {
                    answerBar.update(Double(count) / Double(max(expectedTokens, 1)), note: "\(count) tokens")
                }
            case .text(let piece):
                bar.clear()
                answer.text += piece
                answer.show(answer.parser?.consume(piece) ?? [.text(piece)])
            case .finished(let statistics):
                answer.statistics = statistics
                return answer
            }
        }
        throw InferenceError(.cancelled, "the generation ended without an account")
    }

    /// Runs `generation` to its end, and prints what a command prints of a single answer: the text or one JSON object, then why the
    /// answer ended, and the times.
    ///
    /// - Parameter reason: Why the answer ended, if neither the model nor an option ended it.
    /// - Throws: ``InferenceError``, or `ExitCode` if the user has stopped the answer.
    func printed(
        by generation: Generation, json: Bool, stats: Bool, loadDuration: Duration, drafter: String, seed: UInt64,
        reason: (Statistics) throws -> String? = { _ in nil }
    ) async throws {
        let (answer, interrupted) = try await Interrupts.shared.cancelling {
            try await continued(by: generation).finished()
        }
        if json {
            try Output.json(
                RunReport(
                    answer, loadDuration: loadDuration, drafter: drafter, seed: seed))
        } else {
            if Terminal.isOutputInteractive { Output.standardOutput("\n") }
            if let reason = try reason(answer.statistics) { Output.standardError("swiftinfer: \(reason)\n") }
        }
        if stats { Output.standardError(answer.statistics.summary(loadDuration: loadDuration) + "\n") }
        if interrupted { throw ExitCode(Interrupts.exitStatus) }
    }

    /// The answer after its end, all of which is printed.
    func finished() -> Answer {
        var answer = self
        if let parts = answer.parser?.finish() { answer.show(parts) }
        if printsText, let rest = answer.style?.flush() { Output.standardOutput(rest) }
        return answer
    }

    /// Prints parts of the answer; thoughts and calls are dimmed.
    private mutating func show(_ parts: [AnswerPart]) {
        guard printsText else { return }
        for part in parts {
            switch part {
            case .text(let text): Output.standardOutput(style?.append(marks.spans(of: text)) ?? text)
            case .thinking(let text): Output.standardError(Terminal.dimmed(text))
            case .toolCall(let call):
                Output.standardError(
                    Terminal.dimmed(
                        "(calls \(call.name.printable) with \(JSONValue.object(call.arguments).description.escaped))")
                        + "\n")
            }
        }
    }
}
