// The interactive mode of `run`.

import Foundation
import InferEvaluation
import InferSupport
import SwiftInfer

/// A conversation on the terminal, or, with a model without a chat template, the completion of one text after another.
struct Conversation {
    /// What does not change while the conversation goes on.
    struct Options {
        /// Whether texts are messages of a chat. If not, each is continued as it is.
        var isChat = true
        /// What answers must follow; nil for any text.
        var grammar: Grammar?
        /// Where typed texts are kept; nil for nowhere.
        var history: HistoryFile?
        /// The model as it was given.
        var modelName = ""
        /// The drafter's name.
        var drafterName = ""
    }

    /// How a conversation ends.
    enum Ending {
        case left
        /// Ctrl-C at an empty prompt.
        case interrupted
    }

    private let chat: Chat
    private let options: Options
    private var settings: ConversationSettings
    private var attachments = Attachments()
    private var lastStatistics: Statistics?
    private var hasToldForgetting = false
    private var reader: LineReader

    /// Goes on with `chat`.
    init(_ chat: Chat, settings: ConversationSettings, options: Options) {
        (self.chat, self.settings, self.options) = (chat, settings, options)
        reader = LineReader(history: options.history?.read() ?? InputHistory())
        let names = settings.list.map(\.name)
        reader.editor.complete = { ConversationCompletion.complete($0, settings: names) }
    }

    /// Runs the conversation until the user leaves.
    mutating func run() async throws -> Ending {
        // Throw before the first question if the chat template cannot be used.
        _ = try chat.tokenCount(of: [ChatMessage(role: .user, content: "x")])
        greet()
        while true {
            let text: String
            switch reader.read(prompt: prompt) {
            case .end: return .left
            case .interrupted: return .interrupted
            case .text(let typed): text = typed
            }
            keep(text)
            do {
                switch ConversationInput(text) {
                case .nothing: continue
                case .command(.exit, _): return .left
                case .command(let command, let argument): try await perform(command, argument)
                case .unknown(let name): tell("\(name.printable) is not a command; /help lists them.")
                case .message(let question): try await ask(question)
                }
            } catch let error as InferenceError where error.code != .malformedModel {
                tell("\(error)")
            }
        }
    }

    private var session: Session { chat.session }

    private func greet() {
        let name = session.model.summary.name?.printable ?? options.modelName
        tell(
            Terminal.dimmed(
                "\(name), context \(session.contextLength) tokens; "
                    + (options.isChat ? "" : "no chat template: each text is continued; ") + "/help lists the commands")
        )
        if let history = options.history, !history.exists {
            tell(Terminal.dimmed("What you type is kept in \(history.path); --no-history keeps nothing."))
        }
    }

    /// The prompt: the speed of the last answer, where the terminal has room for it.
    private var prompt: String {
        guard Terminal.canRedraw, Terminal.width >= 60, let statistics = lastStatistics,
            let rate = statistics.decodeTokensPerSecond
        else { return "> " }
        let draft = statistics.draft
        let accepted =
            draft.drafted > 0
            ? ", \(Format.decimal(100 * Double(draft.accepted) / Double(draft.drafted), 0)) % accepted" : ""
        return "\(Format.decimal(rate, 1)) tokens/s\(accepted) > "
    }

    private func tell(_ text: String) { Output.standardError(text + "\n") }

    private mutating func keep(_ text: String) {
        guard reader.editor.history.add(text), let history = options.history else { return }
        do throws(InferenceError) { try history.append(text) } catch {
            // Once is enough: the next text fails for the same reason.
            if reader.editor.history.entries.count == 1 { tell("swiftinfer: warning: \(error)") }
        }
    }

    // MARK: Commands

    private mutating func perform(_ command: ConversationCommand, _ argument: String) async throws {
        switch command {
        case .help: Output.standardError(ConversationCommand.helpText)
        case .clear:
            try chat.changeTranscript { $0.removeAll() }
            attachments.clear()
            tell("The conversation is forgotten.")
        case .regen: try await regenerate()
        case .undo:
            guard let question = try chat.changeTranscript({ $0.removeLastTurn() }) else {
                return tell("There is no question yet.")
            }
            let first = question.split(separator: "\n").last.map(String.init) ?? ""
            tell("Taken back: \(first.printable)")
        case .read:
            try attach(argument, command) { attachments in
                try attachments.add(path: argument)
                return 0
            }
        case .files: try attach(argument, command) { try $0.add(matching: argument) }
        case .system: try changeSystem(argument)
        case .set: try change(argument)
        case .show: try show()
        case .save: try save(argument)
        case .load: try load(argument)
        case .stats: tell(lastStatistics?.summary() ?? "There was no answer yet.")
        case .exit: break
        }
    }

    private mutating func attach(
        _ argument: String, _ command: ConversationCommand, _ add: (inout Attachments) throws -> Int
    ) throws {
        guard !argument.isEmpty else { return tell("/\(command.rawValue) \(command.argument): which?") }
        var more = attachments
        let leftOut = try add(&more)
        let tokenizer = session.model.tokenizer
        let count = tokenizer.encode(more.message(""), addSpecial: false).count
        guard count < session.contextLength else {
            throw InferenceError(
                .contextFull,
                "these files have \(count) tokens, but the context holds only \(session.contextLength); none is added")
        }
        attachments = more
        if leftOut > 0 { tell("\(leftOut) more match, but are binary, generated or secret.") }
        for file in more.files { tell("  \(file.name.printable), \(file.text.split(separator: "\n").count) lines") }
        tell("\(more.files.count == 1 ? "It goes" : "They go") with the next question: \(count) tokens.")
    }

    private func changeSystem(_ text: String) throws(InferenceError) {
        guard options.isChat else { return tell("A model without a chat template has no system message.") }
        switch text {
        case "": tell(chat.transcript.instructions ?? "There is no system message.")
        case "off", "none", "\"\"":
            try chat.changeTranscript { $0.instructions = nil }
            tell("There is no system message any more.")
        default:
            try chat.changeTranscript { $0.instructions = text }
            tell("The system message is set; /clear makes the model forget what was said before.")
        }
    }

    private mutating func change(_ argument: String) throws {
        let words = argument.split(maxSplits: 1, whereSeparator: { $0.isWhitespace || $0 == "=" }).map(String.init)
        guard let name = words.first else { return Output.standardError(Format.table(settings.list.map { ($0, $1) })) }
        let value = words.count > 1 ? words[1].trimmingBlanks : ""
        if name == "system" { return try changeSystem(value) }
        try settings.set(name, value)
        let changed = settings.list.first { $0.name == name.lowercased().replacing("_", with: "-") }
        tell(changed.map { "\($0.name) is \($0.value)" } ?? "Set.")
    }

    private func show() throws {
        let summary = session.model.summary
        let transcript = chat.transcript
        let used = try chat.tokenCount()
        let forgotten = transcript.forgottenCount > 0 ? ", \(transcript.forgottenCount) messages forgotten" : ""
        let rows = [
            ("model", summary.name?.printable ?? options.modelName), ("file", options.modelName),
            ("architecture", summary.architecture.printable), ("parameters", Format.count(summary.parameterCount)),
            ("context", "\(used) of \(session.contextLength) tokens\(forgotten)"), ("drafter", options.drafterName),
            ("system message", transcript.instructions?.printable ?? "-"),
            ("history", options.history?.path ?? "not kept"),
        ]
        Output.standardError(Format.table((rows + settings.list).map { ($0, $1) }))
    }

    private func save(_ path: String) throws {
        guard !path.isEmpty else { return tell("/save FILE: which file?") }
        let path = Attachments.expanded(path)
        if OutputFile.exists(path), (try? transcript(at: path)) == nil {
            throw InferenceError(.unwritableFile, "\(path.printable) exists and is no saved conversation")
        }
        let file = try OutputFile(replacing: path, mode: 0o600)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try file.append(Array(encoder.encode(chat.transcript) + Data("\n".utf8)))
        try file.commit()
        tell("\(chat.transcript.messages.count) messages are saved in \(path.printable)")
    }

    private mutating func load(_ path: String) throws {
        guard !path.isEmpty else { return tell("/load FILE: which file?") }
        let transcript = try transcript(at: Attachments.expanded(path))
        try chat.changeTranscript { $0 = transcript }
        attachments.clear()
        tell("\(transcript.messages.count) messages are loaded.")
        if let last = transcript.lastAnswer { tell("The last answer:\n\(last.content)") }
    }

    private func transcript(at path: String) throws(InferenceError) -> Transcript {
        let bytes = try InputText.file(path)
        do {
            return try JSONDecoder().decode(Transcript.self, from: Data(bytes))
        } catch {
            throw InferenceError(.invalidArgument, "\(path.printable) is no saved conversation", cause: error)
        }
    }

    // MARK: Answers

    private mutating func regenerate() async throws {
        guard try chat.changeTranscript({ $0.removeLastAnswer() }) else { return tell("There is no answer yet.") }
        if settings.sampling.temperature == 0 {
            tell("At temperature 0 the answer stays the same; /set temperature 0.7 changes that.")
        }
        try await answer(nil)
    }

    private mutating func ask(_ question: String) async throws {
        let message = attachments.message(question)
        attachments.clear()
        try await answer(message)
    }

    /// Answers a question; nil for the one that the transcript ends with. Without an answer, the question is taken back.
    private mutating func answer(_ question: String?) async throws {
        var answerOptions = settings.options
        answerOptions.grammar = options.grammar
        let notice =
            "(the context of \(session.contextLength) tokens is full: from now on the oldest turns are forgotten)"
        let answer = Answer(
            printsText: true, tintsCode: options.isChat, showsDrafts: settings.showsDrafts,
            forgettingNotice: hasToldForgetting ? nil : notice)
        let stream = chat.streamResponse(to: question, options: answerOptions)
        do {
            let (answered, interrupted) = try await Interrupts.shared.cancelling {
                try await answer.completed(by: .chat(stream))
            }
            if !answered.isKept, question == nil { try chat.changeTranscript { _ = $0.removeLastTurn() } }
            end(answered, interrupted: interrupted)
        } catch {
            if question == nil { try chat.changeTranscript { _ = $0.removeLastTurn() } }
            guard let error = error as? InferenceError, error.code == .contextFull else { throw error }
            tell("\(error)\nThe question was taken back; /clear starts anew, --context makes the context longer.")
        }
    }

    /// Takes note of an answer, and says why it ended if the model did not end it.
    private mutating func end(_ answer: Answer, interrupted: Bool) {
        Output.standardOutput("\n")
        if interrupted { tell(Terminal.dimmed("(stopped)")) }
        lastStatistics = answer.statistics
        if answer.forgettingNotice == nil { hasToldForgetting = true }
        switch answer.statistics.finishReason {
        case .contextFull: tell("The context is full; /clear starts anew, --context makes it longer.")
        case .loop: tell(Answer.loopMessage + "; /regen tries again, /set loop-stop off lets it go on")
        case .length: tell("(ended after \(answer.statistics.tokens.count) tokens)")
        default: break
        }
        if settings.printsStatistics { tell(answer.statistics.summary()) }
    }
}
