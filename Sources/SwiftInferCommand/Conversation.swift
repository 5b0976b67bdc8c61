// The interactive mode of `run --chat`.

import InferSupport
import SwiftInfer

/// A conversation on the terminal. The session keeps what it has read, so that only what is new in a turn is evaluated.
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

    /// A conversation in `session`, under the system message if there is one. `options` gives each answer's settings.
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

    /// Talks until the person leaves.
    mutating func run() async throws {
        // A model that cannot chat says so before the first question, not after it.
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

    /// Answers the last message. What cannot be answered is taken back, and the conversation goes on.
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
