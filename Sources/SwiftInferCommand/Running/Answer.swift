// The output of an answer while it is generated.

import ArgumentParser
import InferSupport
import SwiftInfer

/// An answer as far as it is generated.
struct Answer: Sendable {
    /// What generates an answer.
    enum Source: Sendable {
        /// The text that continues a prompt.
        case text(Generation)
        /// An answer in a conversation.
        case chat(Chat.ResponseStream)
    }

    /// The answer as a message of a conversation. Its content is all of the text that is no conversation.
    private(set) var message = ChatMessage(role: .assistant, content: "")
    /// The statistics of its generations.
    private(set) var statistics = Statistics()
    /// Whether the conversation kept the answer.
    private(set) var isKept = false
    /// What is said once when the oldest turns are forgotten; nil if nothing is, or after it was said.
    private(set) var forgettingNotice: String?

    private let printsText: Bool
    private let expectedTokens: Int?
    private var tokenCount = 0
    private var marks = DraftMarks()
    /// The look on a terminal; nil elsewhere, where the text is printed as it is.
    private var style: AnswerStyle?

    /// An answer that is not begun.
    ///
    /// - Parameters:
    ///   - printsText: Whether the text is printed to standard output as it is generated.
    ///   - tintsCode: Whether blocks of code are tinted, on a terminal.
    ///   - showsDrafts: Whether drafted tokens are underlined, if the generation reports tokens.
    ///   - forgettingNotice: What is said once when the oldest turns are forgotten; nil for nothing.
    ///   - expectedTokens: About how many tokens the answer will have: for a progress bar, if the generation reports tokens. Nil for no bar.
    init(
        printsText: Bool, tintsCode: Bool = false, showsDrafts: Bool = false, forgettingNotice: String? = nil,
        expectedTokens: Int? = nil
    ) {
        self.printsText = printsText
        self.expectedTokens = expectedTokens
        self.forgettingNotice = forgettingNotice
        guard printsText, Terminal.isOutputInteractive else { return }
        let hasStyles = Terminal.allowsColorOfOutput
        style = AnswerStyle(tintsCode: hasStyles && tintsCode, underlinesDrafts: hasStyles && showsDrafts)
    }

    /// What is said of an answer that loops.
    static let loopMessage = "the answer repeats itself and was ended"

    /// Lets `source` generate the answer, and prints it. Shows a progress bar while a long prompt is evaluated. If the task is cancelled,
    /// the answer ends early.
    ///
    /// - Returns: The answer with what was generated.
    func completed(by source: Source) async throws(InferenceError) -> Answer {
        let bars = Bars()
        defer { bars.clear() }
        var answer = self
        switch source {
        case .chat(let stream): for try await event in stream { answer.take(event, bars) }
        case .text(let generation):
            var text = ""
            for try await event in generation {
                switch event {
                case .progress(let evaluated, let total): answer.take(.progress(evaluated: evaluated, of: total), bars)
                case .token(let token): answer.take(.token(token), bars)
                case .text(let piece):
                    text += piece
                    answer.take(.text(piece), bars)
                case .finished(let statistics):
                    answer.message.content = text
                    answer.end(statistics)
                }
            }
        }
        return answer
    }

    /// The progress of one answer.
    private struct Bars {
        let prompt = ProgressBar("reading prompt"), answer = ProgressBar("writing")

        func clear() {
            prompt.clear()
            answer.clear()
        }
    }

    /// Takes note of an event, and prints what it brings; thoughts and calls are dimmed.
    private mutating func take(_ event: Chat.Event, _ bars: Bars) {
        switch event {
        case .progress(let evaluated, let total):
            bars.prompt.update(Double(evaluated) / Double(max(total, 1)), note: "\(evaluated) of \(total) tokens")
            return
        case .token(let token):
            marks.append(token.bytes, isDrafted: token.isDrafted)
            tokenCount += 1
            if let expectedTokens {
                bars.answer.update(Double(tokenCount) / Double(max(expectedTokens, 1)), note: "\(tokenCount) tokens")
            }
            return
        default: bars.prompt.clear()
        }
        switch event {
        case .text(let text) where printsText: Output.standardOutput(style?.append(marks.spans(of: text)) ?? text)
        case .thinking(let text) where printsText: Output.standardError(Terminal.dimmed(text))
        case .toolCall(let call) where printsText:
            let arguments = JSONValue.object(call.arguments).description.escaped
            Output.standardError(Terminal.dimmed("(calls \(call.name.printable) with \(arguments))") + "\n")
        case .forgot:
            if let forgettingNotice { Output.standardError(Terminal.dimmed(forgettingNotice) + "\n") }
            forgettingNotice = nil
        case .finished(let response):
            isKept = !response.messages.isEmpty
            message = response.messages.last ?? message
            end(response.statistics)
        default: break
        }
    }

    private mutating func end(_ statistics: Statistics) {
        self.statistics = statistics
        if printsText, let rest = style?.flush() { Output.standardOutput(rest) }
    }

    /// Lets `source` generate the answer, and prints what a command prints of a single one: the text or one JSON object, then why the
    /// answer ended, and the times.
    ///
    /// - Parameter reason: Why the answer ended, if neither the model nor an option ended it.
    /// - Throws: ``InferenceError``, or `ExitCode` if the user has stopped the answer.
    func printed(
        by source: Source, json: Bool, stats: Bool, loadDuration: Duration, drafter: String, seed: UInt64,
        reason: (Statistics) throws -> String? = { _ in nil }
    ) async throws {
        let (answer, interrupted) = try await Interrupts.shared.cancelling {
            try await completed(by: source)
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
}
