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
        let generation = session.generate(
            .chat(system + messages, parsesSpecialTokens: parsesSpecialTokens), options: makeOptions())
        do {
            let (answer, interrupted) = try await Interrupts.shared.cancelling {
                try await Answer(generation, printsText: true)
            }
            Output.standardOutput("\n")
            if interrupted { Output.standardError(Terminal.dimmed("(stopped)") + "\n") }
            lastStatistics = answer.statistics
            if interrupted, answer.text.isEmpty {
                messages.removeLast()
            } else {
                messages.append(ChatMessage(role: .assistant, content: answer.text))
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
    let text: String
    let statistics: Statistics

    /// Runs `generation` to its end. Shows a progress bar while a long prompt is evaluated. If the task is cancelled, the
    /// answer ends early.
    ///
    /// - Parameter printsText: Whether the text is printed to standard output as it is generated.
    init(_ generation: Generation, printsText: Bool) async throws(InferenceError) {
        let bar = ProgressBar("reading prompt")
        defer { bar.clear() }
        var text = ""
        for try await event in generation {
            switch event {
            case .progress(let evaluated, let total):
                bar.update(Double(evaluated) / Double(max(total, 1)), note: "\(evaluated) of \(total) tokens")
            case .text(let piece):
                bar.clear()
                text += piece
                if printsText { Output.standardOutput(piece) }
            case .finished(let statistics):
                self.text = text
                self.statistics = statistics
                return
            }
        }
        throw InferenceError(.cancelled, "the generation ended without an account")
    }
}
