// The interactive mode of `run`.

import InferEvaluation
import InferSupport
import SwiftInfer

/// A conversation on the terminal, or, with a model without a chat template, the completion of one text after another. The session
/// keeps the state of the conversation, so that each turn evaluates only new tokens.
struct Conversation {
    /// What does not change while the conversation goes on.
    struct Options {
        /// Whether texts are messages of a chat. If not, each is continued as it is.
        var isChat = true
        /// Whether special tokens in the typed text are parsed as such.
        var parsesSpecialTokens = false
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

    private let session: Session
    private let options: Options
    private var settings: ConversationSettings
    private var transcript: Transcript
    private var attachments = Attachments()
    private var lastStatistics: Statistics?
    private var hasToldForgetting = false
    private var reader: LineReader

    /// A conversation in `session`.
    init(session: Session, system: String?, settings: ConversationSettings, options: Options) {
        (self.session, self.settings, self.options) = (session, settings, options)
        transcript = Transcript(system: system)
        reader = LineReader(history: options.history?.read() ?? InputHistory())
        let names = settings.list.map(\.name)
        reader.editor.complete = { ConversationCompletion.complete($0, settings: names) }
    }

    /// Runs the conversation until the user leaves.
    mutating func run() async throws -> Ending {
        // Throw before the first question if the chat template cannot be used.
        _ = try count([ChatMessage(role: .user, content: "x")])
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
            transcript.clear()
            attachments.clear()
            tell("The conversation is forgotten.")
        case .regen: try await regenerate()
        case .undo:
            guard let question = transcript.undo() else { return tell("There is no question yet.") }
            let first = question.split(separator: "\n").last.map(String.init) ?? ""
            tell("Taken back: \(first.printable)")
        case .read:
            try attach(argument, command) { attachments in
                try attachments.add(path: argument)
                return 0
            }
        case .files: try attach(argument, command) { try $0.add(matching: argument) }
        case .system: changeSystem(argument)
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

    private mutating func changeSystem(_ text: String) {
        guard options.isChat else { return tell("A model without a chat template has no system message.") }
        switch text {
        case "": tell(transcript.system ?? "There is no system message.")
        case "off", "none", "\"\"":
            transcript.system = nil
            tell("There is no system message any more.")
        default:
            transcript.system = text
            tell("The system message is set; /clear makes the model forget what was said before.")
        }
    }

    private mutating func change(_ argument: String) throws {
        let words = argument.split(maxSplits: 1, whereSeparator: { $0.isWhitespace || $0 == "=" }).map(String.init)
        guard let name = words.first else { return Output.standardError(Format.table(settings.list.map { ($0, $1) })) }
        let value = words.count > 1 ? words[1].trimmingBlanks : ""
        if name == "system" { return changeSystem(value) }
        try settings.set(name, value)
        let changed = settings.list.first { $0.name == name.lowercased().replacing("_", with: "-") }
        tell(changed.map { "\($0.name) is \($0.value)" } ?? "Set.")
    }

    private func show() throws {
        let summary = session.model.summary
        let used = try count(transcript.visible)
        let forgotten = transcript.forgotten > 0 ? ", \(transcript.forgotten) messages forgotten" : ""
        let rows = [
            ("model", summary.name?.printable ?? options.modelName), ("file", options.modelName),
            ("architecture", summary.architecture.printable), ("parameters", Format.count(summary.parameterCount)),
            ("context", "\(used) of \(session.contextLength) tokens\(forgotten)"), ("drafter", options.drafterName),
            ("system message", transcript.system?.printable ?? "-"),
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
        try file.append(Array((transcript.json.description + "\n").utf8))
        try file.commit()
        tell("\(transcript.messages.count) messages are saved in \(path.printable)")
    }

    private mutating func load(_ path: String) throws {
        guard !path.isEmpty else { return tell("/load FILE: which file?") }
        transcript = try transcript(at: Attachments.expanded(path))
        attachments.clear()
        tell("\(transcript.messages.count) messages are loaded.")
        if let last = transcript.lastAnswer { tell("The last answer:\n\(last.content)") }
    }

    private func transcript(at path: String) throws(InferenceError) -> Transcript {
        let bytes = try InputText.file(path)
        do throws(InferenceError) {
            return try Transcript(try JSONValue(parsing: bytes))
        } catch {
            throw InferenceError(error.code, "\(path.printable) is no saved conversation: \(error.message)")
        }
    }

    // MARK: Answers

    private mutating func regenerate() async throws {
        guard transcript.takeBackAnswer() else { return tell("There is no answer yet.") }
        if settings.sampling.temperature == 0 {
            tell("At temperature 0 the answer stays the same; /set temperature 0.7 changes that.")
        }
        try await answer()
    }

    private mutating func ask(_ question: String) async throws {
        transcript.append(ChatMessage(role: .user, content: attachments.message(question)))
        attachments.clear()
        try await answer()
    }

    /// Answers the last message. Forgets the oldest turns when the context is full, before the answer or within it. If the message
    /// alone does not fit, takes it back.
    private mutating func answer() async throws {
        var answerOptions = settings.options
        answerOptions.grammar = options.grammar
        do {
            if try fit(reserve: answerOptions.reservedTokens(of: session.contextLength)) > 0 { tellForgetting() }
            var answer = Answer(
                printsText: true,
                parser: options.isChat ? try options.parser(for: transcript.visible, of: session.model) : nil,
                showsDrafts: settings.showsDrafts)
            var prompt = options.prompt(for: transcript.visible)
            var tokens: [TokenID] = []
            while true {
                let (before, generation) = (answer, session.generate(prompt, options: answerOptions))
                let (next, interrupted) = try await Interrupts.shared.cancelling {
                    try await before.continued(by: generation)
                }
                answer = next
                tokens += next.statistics.tokens
                // A grammar begins anew with each generation.
                guard next.statistics.finishReason == .contextFull, !interrupted, options.grammar == nil,
                    try fit(reserve: tokens.count + answerOptions.reservedTokens(of: session.contextLength)) > 0
                else {
                    end(answer.finished(), tokenCount: tokens.count, interrupted: interrupted)
                    return
                }
                tellForgetting()
                answerOptions.maximumTokens = settings.maximumTokens.map { max(0, $0 - tokens.count) }
                prompt = .tokens(try session.model.tokens(for: options.prompt(for: transcript.visible)) + tokens)
            }
        } catch {
            _ = transcript.undo()
            guard let error = error as? InferenceError, error.code == .contextFull else { throw error }
            tell("\(error)\nThe question was taken back; /clear starts anew, --context makes the context longer.")
        }
    }

    /// Takes note of an answer, and says why it ended if the model did not end it.
    private mutating func end(_ answer: Answer, tokenCount: Int, interrupted: Bool) {
        Output.standardOutput("\n")
        if interrupted { tell(Terminal.dimmed("(stopped)")) }
        lastStatistics = answer.statistics
        if interrupted, answer.text.isEmpty {
            _ = transcript.undo()
        } else {
            transcript.append(answer.message)
        }
        switch answer.statistics.finishReason {
        case .contextFull: tell("The context is full; /clear starts anew, --context makes it longer.")
        case .loop: tell(Answer.loopMessage + "; /regen tries again, /set loop-stop off lets it go on")
        case .length: tell("(ended after \(tokenCount) tokens)")
        default: break
        }
        if settings.printsStatistics { tell(answer.statistics.summary()) }
    }

    /// Forgets the oldest turns if the context is full. Returns their number.
    private mutating func fit(reserve: Int) throws -> Int {
        let count = count
        return try transcript.fit(session.contextLength, reserve: reserve, count: count)
    }

    /// Says once that turns are forgotten.
    private mutating func tellForgetting() {
        guard !hasToldForgetting else { return }
        hasToldForgetting = true
        tell(
            Terminal.dimmed(
                "(the context of \(session.contextLength) tokens is full: from now on the oldest turns are forgotten)"))
    }

    /// The number of tokens of messages.
    private var count: ([ChatMessage]) throws -> Int {
        let (model, options) = (session.model, options)
        return { $0.isEmpty ? 0 : try model.tokens(for: options.prompt(for: $0)).count }
    }
}

extension Conversation.Options {
    /// The prompt for an answer to `messages`.
    fileprivate func prompt(for messages: [ChatMessage]) -> Prompt {
        var chatOptions = ChatOptions()
        chatOptions.skipsThinking = grammar != nil
        return isChat
            ? .chat(messages, options: chatOptions, parsesSpecialTokens: parsesSpecialTokens)
            : .text(messages.last?.content ?? "", parsesSpecialTokens: parsesSpecialTokens)
    }

    /// The parser of an answer to `messages`. An answer of a certain form is text, also if it looks like a call.
    fileprivate func parser(for messages: [ChatMessage], of model: Model) throws(InferenceError) -> AnswerParser {
        grammar == nil ? try model.answerParser(for: messages) : AnswerParser()
    }
}
