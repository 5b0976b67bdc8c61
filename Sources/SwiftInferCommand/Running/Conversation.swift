// The interactive mode of `run --chat`, and the output of an answer as it is generated.

import InferSupport
import SwiftInfer

/// A conversation on the terminal. The session keeps the state of the conversation, so that each turn evaluates only new
/// tokens.
struct Conversation {
    private static let help = """
        /clear   forget the conversation
        /regen   answer the last question again
        /stats   times of the last answer
        /exit    leave (also Ctrl-D)
        A backslash at the end of a line continues it on the next. Ctrl-C stops an answer, and leaves at the prompt.

        """

    private let session: Session
    private let system: [ChatMessage]
    private let makeOptions: () -> GenerationOptions
    private let parsesSpecialTokens: Bool
    private let printsStatistics: Bool
    private var messages: [ChatMessage] = []
    private var lastStatistics: Statistics?

    /// A conversation in `session`.
    ///
    /// - Parameters:
    ///   - system: The system message, if there is one.
    ///   - parsesSpecialTokens: Whether special tokens in the typed text are parsed as such.
    ///   - printsStatistics: Whether times are printed after each answer.
    ///   - makeOptions: Makes the settings of each answer.
    init(
        session: Session, system: [ChatMessage], parsesSpecialTokens: Bool, printsStatistics: Bool,
        options makeOptions: @escaping () -> GenerationOptions
    ) {
        self.session = session
        self.system = system
        self.parsesSpecialTokens = parsesSpecialTokens
        self.printsStatistics = printsStatistics
        self.makeOptions = makeOptions
    }

    /// Runs the conversation until the user leaves.
    mutating func run() async throws {
        // Throw before the first question if the model has no usable chat template.
        _ = try session.model.tokens(for: .chat(system + [ChatMessage(role: .user, content: "")]))
        Output.standardError(Terminal.dimmed("/help lists the commands") + "\n")
        var reader = LineReader()
        while true {
            switch reader.read() {
            case .end: return
            case .abandoned: continue
            case .text(let text):
                switch text.trimmingBlanks {
                case "": continue
                case "/exit", "/bye", "/quit": return
                case "/help", "/?": Output.standardError(Self.help)
                case "/clear":
                    messages = []
                    Output.standardError("The conversation is forgotten.\n")
                case "/stats":
                    Output.standardError((lastStatistics?.summary() ?? "There was no answer yet.") + "\n")
                case "/regen": try await regenerate()
                case let command where command.hasPrefix("/") && !command.contains(where: \.isWhitespace):
                    Output.standardError("\(command) is not a command; /help lists them.\n")
                default: try await ask(text)
                }
            }
        }
    }

    private mutating func regenerate() async throws {
        guard messages.last?.role == .assistant else {
            Output.standardError("There is no answer yet.\n")
            return
        }
        messages.removeLast()
        if makeOptions().sampling.temperature == 0 {
            Output.standardError("At temperature 0 the answer stays the same; see --temperature.\n")
        }
        try await answer()
    }

    private mutating func ask(_ question: String) async throws {
        messages.append(ChatMessage(role: .user, content: question))
        try await answer()
    }

    /// Answers the last message. If the context is full, removes the message and continues.
    private mutating func answer() async throws {
        var options = makeOptions()
        options.includesControlTokens = true
        do {
            // An answer of a certain form is text, also if it looks like a call.
            let hasForm = options.grammar != nil
            let parser = try hasForm ? AnswerParser() : session.model.answerParser(for: system + messages)
            var chatOptions = ChatOptions()
            chatOptions.skipsThinking = hasForm
            let generation = session.generate(
                .chat(system + messages, options: chatOptions, parsesSpecialTokens: parsesSpecialTokens),
                options: options)
            let (answer, interrupted) = try await Interrupts.shared.cancelling {
                try await Answer(generation, printsText: true, parser: parser)
            }
            Output.standardOutput("\n")
            if interrupted { Output.standardError(Terminal.dimmed("(stopped)") + "\n") }
            lastStatistics = answer.statistics
            if interrupted, answer.text.isEmpty {
                messages.removeLast()
            } else {
                messages.append(answer.message)
            }
            if answer.statistics.finishReason == .contextFull {
                Output.standardError("The context is full; /clear starts anew, --context makes it longer.\n")
            }
            if printsStatistics { Output.standardError(answer.statistics.summary() + "\n") }
        } catch let error as InferenceError where error.code == .contextFull {
            messages.removeLast()
            Output.standardError("\(error)\nThe question was taken back; /clear starts anew.\n")
        }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        let isBlank = { (character: Character) in character.isWhitespace }
        let start = drop(while: isBlank)
        guard let end = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...end])
    }
}

/// A finished answer.
struct Answer: Sendable {
    /// The text of the answer as the model wrote it.
    let text: String
    /// The answer as a message of the conversation.
    let message: ChatMessage
    let statistics: Statistics

    /// Runs `generation` to its end. Shows a progress bar while a long prompt is evaluated. If the task is cancelled, the
    /// answer ends early.
    ///
    /// - Parameters:
    ///   - printsText: Whether the text is printed to standard output as it is generated.
    ///   - parser: Finds the thoughts and tool calls in the answer. Without it, all is text.
    init(_ generation: Generation, printsText: Bool, parser: AnswerParser? = nil) async throws(InferenceError) {
        let bar = ProgressBar("reading prompt")
        defer { bar.clear() }
        var text = ""
        var parser = parser
        for try await event in generation {
            switch event {
            case .progress(let evaluated, let total):
                bar.update(Double(evaluated) / Double(max(total, 1)), note: "\(evaluated) of \(total) tokens")
            case .token: break
            case .text(let piece):
                bar.clear()
                text += piece
                if let parts = parser?.consume(piece) {
                    if printsText { Self.show(parts) }
                } else if printsText {
                    Output.standardOutput(piece)
                }
            case .finished(let statistics):
                if let parts = parser?.finish(), printsText { Self.show(parts) }
                message = parser?.message ?? ChatMessage(role: .assistant, content: text)
                self.text = text
                self.statistics = statistics
                return
            }
        }
        throw InferenceError(.cancelled, "the generation ended without an account")
    }

    /// Prints parts of an answer; thoughts and calls are dimmed.
    private static func show(_ parts: [AnswerPart]) {
        for part in parts {
            switch part {
            case .text(let text): Output.standardOutput(text)
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
