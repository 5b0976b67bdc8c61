// `swiftinfer run`: continues a text or answers a question.

import ArgumentParser
import InferCatalogue
import InferEvaluation
import InferSupport
import SwiftInfer

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Continue a text, answer with --chat, or converse on the terminal.",
        discussion: """
            The prompt is the argument, the file given with -f, or standard input if that is not a terminal. Standard \
            input beside an argument goes before it. On a terminal without a prompt, a conversation begins; /help lists \
            its commands.

            A text is continued greedily. In a chat, tokens are sampled as the model's file recommends, otherwise as by \
            --preset balanced, and an answer that repeats itself ten times is ended.

            Ctrl-C stops the answer.
            """
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: "The text to continue, or with --chat the question.")
    var prompt: String?

    /// The option of other programs for the prompt.
    @Option(name: .customShort("p"), parsing: .unconditional, help: .hidden)
    var promptOption: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Read the prompt from a file; - is standard input.", valueName: "path"),
        completion: .file())
    var file: String?

    @Option(
        name: .short, parsing: .unconditional,
        help: ArgumentHelp(
            "Maximum number of tokens to generate; -1: until the context is full (default: 256, with --chat -1).",
            valueName: "n"))
    var n: Int?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("End the answer where this text appears; may be given several times.", valueName: "text"))
    var stop: [String] = []

    @Flag(help: "Continue when the model ends its text.")
    var ignoreEos = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The text after a gap that follows the prompt: the model fills the gap.", valueName: "text"))
    var suffix: String?

    @Option(help: ArgumentHelp("Read the text after the gap from a file.", valueName: "path"), completion: .file())
    var suffixFile: String?

    @Flag(help: "Apply the model's chat template.")
    var chat = false

    @Option(help: ArgumentHelp("System message of the chat.", valueName: "text"))
    var system: String?

    @OptionGroup var template: TemplateOptions

    @Flag(help: "Parse special tokens such as <|im_end|> in the prompt instead of reading them as text.")
    var special = false

    @OptionGroup(title: "Form of the answer") var form: GrammarArguments
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Engine") var context: ContextOptions

    @OptionGroup(title: "Engine") var drafting: DrafterOptions

    @Flag(help: "Print times to standard error at the end.")
    var stats = false

    @Flag(help: "Underline the drafted tokens of answers, on a terminal.")
    var showDrafts = false

    @Flag(help: "In a chat, let an answer go on that repeats itself.")
    var noLoopStop = false

    @Flag(help: "Keep no history of what is typed in conversations; nor does SWIFTINFER_NOHISTORY=1.")
    var noHistory = false

    @Flag(help: "Print one JSON object instead of the text.")
    var json = false

    /// Whether an option has the prompt, or names its file.
    var hasPrompt: Bool { prompt != nil || promptOption != nil || file != nil }

    func validate() throws {
        if let n, n < -1 { throw ValidationError("-n is \(n), but must be 0 or more, or -1.") }
        if prompt != nil, promptOption != nil {
            throw ValidationError("Give the prompt once: as an argument or with -p.")
        }
        if stop.contains("") { throw ValidationError("--stop must not be empty.") }
        if suffix != nil, suffixFile != nil {
            throw ValidationError("Give the text after the gap with --suffix or --suffix-file, not both.")
        }
        if chat || special, suffix != nil || suffixFile != nil {
            throw ValidationError(
                "--suffix makes a gap in a text; it does not go with \(chat ? "--chat" : "--special").")
        }
    }

    func run() async throws {
        let converses = !hasPrompt && !json && Terminal.isInputInteractive
        if !chat, !converses {
            if system != nil { throw ValidationError("--system needs --chat.") }
            if template.chatTemplate != nil { throw ValidationError("--chat-template needs --chat.") }
        }
        do {
            try await generate()
        } catch let error as InferenceError where error.code == .unsupportedTemplate && template.chatTemplate == nil {
            throw InferenceError(
                error.code, "\(error.message); --chat-template NAME|FILE chooses another", cause: error.cause)
        }
    }

    private func generate() async throws {
        let text = try InputText.given(argument: prompt ?? promptOption, file: file).map {
            String(decoding: $0, as: UTF8.self)
        }
        let suffix = try suffix ?? suffixFile.map { String(decoding: try InputText.file($0), as: UTF8.self) }
        guard text != nil || !json && suffix == nil else {
            throw ValidationError("No prompt: give it as an argument, with -f, or on standard input.")
        }
        // Faults of a grammar are told before the model is loaded.
        let grammar = try form.load()
        // Open the terminal before the model is loaded: people type or paste while it loads.
        if text == nil { TerminalInput.open() }
        defer { TerminalInput.close() }
        let path = try self.model.path()
        let (model, loadDuration) = try engine.load(path, for: context.options, chatTemplate: template.source())
        var sessionOptions = context.options
        sessionOptions.drafter = drafting.choice
        guard let text else { return try await converse(model, path, sessionOptions, grammar) }
        if chat { sessionOptions.contextLength = context.chatContextLength(of: model) }
        let session = try model.makeSession(sessionOptions)
        if special, !chat, model.tokenizer.addsBOS, let bos = model.tokenizer.bos.flatMap(model.tokenizer.text(of:)),
            text.utf8.starts(with: bos.utf8)
        {
            Output.standardError("The prompt begins with \(bos.printable) already; no second one is added.\n")
        }
        var options = generationOptions(for: model)
        options.grammar = grammar
        let source: Answer.Source =
            if let suffix {
                .text(session.generate(.infill(prefix: text, suffix: suffix), options: options))
            } else if chat {
                .chat(conversation(in: session).streamResponse(to: text, options: options))
            } else {
                .text(session.generate(.text(text, parsesSpecialTokens: special), options: options))
            }
        try await Answer(printsText: !json, tintsCode: chat, showsDrafts: showDrafts).printed(
            by: source, json: json, stats: stats, loadDuration: loadDuration,
            drafter: drafting.drafter.description, seed: options.sampling.seed
        ) { [options] in reasonForEnd($0, options, contextLength: session.contextLength) }
    }

    /// A conversation in which nothing was said.
    ///
    /// - Parameter isCompletion: Whether each text is continued instead.
    func conversation(in session: Session, isCompletion: Bool = false) -> Chat {
        var format = Chat.Format()
        (format.parsesSpecialTokens, format.isCompletion) = (special, isCompletion)
        return Chat(session, transcript: Transcript(instructions: system), format: format)
    }

    /// If neither the model nor an option ended the text, why it ended and which option changes that. Nil otherwise.
    private func reasonForEnd(
        _ statistics: Statistics, _ options: GenerationOptions, contextLength: Int
    ) -> String? {
        if statistics.finishReason == .loop { return "\(Answer.loopMessage); --no-loop-stop lets it go on" }
        if statistics.finishReason == .contextFull {
            let text = statistics.tokens.isEmpty ? "no text follows" : "the text ends here"
            return "\(text): the context of \(contextLength) tokens is full; --context makes it longer"
        }
        guard statistics.finishReason == .length, n == nil, let most = options.maximumTokens else {
            return nil
        }
        return "the text ends here after \(most) tokens; -n allows more"
    }

    /// Runs a conversation on the terminal. With a model without a chat template, each text is continued.
    private func converse(
        _ model: Model, _ path: String, _ sessionOptions: Session.Options, _ grammar: Grammar?
    ) async throws {
        var options = Conversation.Options()
        options.grammar = grammar
        options.isChat = chat || template.chatTemplate != nil || model.summary.hasChatTemplate
        options.modelName = path
        options.drafterName = drafting.drafter.description
        if !noHistory, (Terminal.environment("SWIFTINFER_NOHISTORY") ?? "").isEmpty {
            StoredData.history.announce()
            options.history = try? HistoryFile(model: Catalogue.name(ofFile: path))
        }
        var sampling = sampling
        if !options.isChat, sampling.temperature == nil, sampling.preset == nil { sampling.preset = .precise }
        var settings = ConversationSettings(sampling: sampling.chatBase(model.summary.recommendedSampling))
        if case .fixed(let seed) = sampling.seed { settings.seed = seed }
        settings.maximumTokens = if let n { n < 0 ? nil : n } else { options.isChat ? nil : 256 }
        settings.stop = stop
        settings.stopsLoops = !noLoopStop
        settings.ignoresEndOfText = ignoreEos
        settings.printsStatistics = stats
        settings.showsDrafts = showDrafts
        var sessionOptions = sessionOptions
        sessionOptions.contextLength = context.chatContextLength(of: model)
        let chat = conversation(in: try model.makeSession(sessionOptions), isCompletion: !options.isChat)
        var conversation = Conversation(chat, settings: settings, options: options)
        if try await conversation.run() == .interrupted { throw ExitCode(Interrupts.exitStatus) }
    }

    /// The settings of a single answer. Each call draws a new seed unless one was given.
    func generationOptions(for model: Model) -> GenerationOptions {
        var options = GenerationOptions()
        options.maximumTokens = if let n { n < 0 ? nil : n } else { chat ? nil : 256 }
        options.sampling = chat ? sampling.chatOptions(model.summary.recommendedSampling) : sampling.options
        options.stop = stop
        options.ignoresEndOfText = ignoreEos
        options.stopsLoops = chat && !noLoopStop
        options.reportsTokens = showDrafts
        options.hashesLogits = json
        return options
    }
}

/// A finished generation, as `run --json` prints it.
struct RunReport: Encodable {
    /// Wall-clock times in milliseconds, and rates in tokens per second. A rate is null if there was nothing to measure.
    struct Timings: Encodable {
        let load: JSONNumber
        let prompt: JSONNumber
        let decode: JSONNumber
        let promptRate: JSONNumber
        let decodeRate: JSONNumber

        enum CodingKeys: String, CodingKey {
            case load = "load_ms", prompt = "prompt_ms", decode = "decode_ms"
            case promptRate = "prompt_tokens_per_second", decodeRate = "decode_tokens_per_second"
        }
    }

    /// The figures of drafting.
    struct Draft: Encodable {
        let drafter: String
        let steps: Int
        let drafted: Int
        let accepted: Int
        /// Milliseconds in the drafter.
        let retrieval: JSONNumber

        enum CodingKeys: String, CodingKey {
            case drafter, steps, drafted, accepted
            case retrieval = "retrieval_ms"
        }
    }

    /// A call of a tool, in the form of OpenAI's interface: the arguments are JSON in a string.
    struct ToolCall: Encodable {
        struct Function: Encodable { let name: String, arguments: String }
        let id: String
        let type = "function"
        let function: Function

        enum CodingKeys: String, CodingKey { case id, type, function }
    }

    /// The answer; in a chat without its thoughts and calls.
    let text: String
    /// The thoughts of the answer to a chat; absent if there are none.
    let reasoning: String?
    /// The calls of an answer to a chat; absent if there are none.
    let toolCalls: [ToolCall]?
    let tokens: [TokenID]
    let promptTokens: Int
    let finishReason: String
    let seed: UInt64
    let timings: Timings
    let draft: Draft
    /// A hash of every row of logits that a token was chosen from, in order: sixteen hexadecimal digits.
    let logitsHash: String

    enum CodingKeys: String, CodingKey {
        case text, reasoning, tokens, seed, timings, draft
        case toolCalls = "tool_calls", promptTokens = "prompt_tokens", finishReason = "finish_reason", logitsHash =
            "logits_hash"
    }

    init(_ answer: Answer, loadDuration: Duration, drafter: String, seed: UInt64) {
        let statistics = answer.statistics
        text = answer.message.content
        reasoning = answer.message.thinking
        let calls = answer.message.toolCalls.map { call in
            ToolCall(
                id: call.id,
                function: .init(name: call.name, arguments: JSONValue.object(call.arguments).description))
        }
        toolCalls = calls.isEmpty ? nil : calls
        tokens = statistics.tokens
        promptTokens = statistics.promptTokens
        finishReason = statistics.finishReason.description
        self.seed = seed
        timings = Timings(
            load: JSONNumber(loadDuration.milliseconds),
            prompt: JSONNumber(statistics.promptDuration.milliseconds),
            decode: JSONNumber(statistics.decodeDuration.milliseconds),
            promptRate: JSONNumber(statistics.promptTokensPerSecond ?? .nan),
            decodeRate: JSONNumber(statistics.decodeTokensPerSecond ?? .nan))
        draft = Draft(
            drafter: drafter, steps: statistics.steps, drafted: statistics.draft.drafted,
            accepted: statistics.draft.accepted,
            retrieval: JSONNumber(statistics.draft.retrievalDuration.milliseconds))
        logitsHash = Format.hexadecimal(statistics.logitsHash ?? 0)
    }
}

extension Statistics {
    /// One line: tokens, times and rates of prompt and answer, drafting, and why the answer ended.
    func summary(loadDuration: Duration? = nil) -> String {
        func part(_ label: String, _ count: Int, _ duration: Duration, _ rate: Double?) -> String {
            "\(label) \(count) tokens in \(Format.decimal(duration.seconds, 2)) s"
                + (rate.map { " (\(Format.decimal($0, 1)) tokens/s)" } ?? "")
        }
        var parts: [String] = []
        if let loadDuration { parts.append("load \(Format.decimal(loadDuration.seconds, 2)) s") }
        parts.append(part("prompt", promptTokens - reusedTokens, promptDuration, promptTokensPerSecond))
        if reusedTokens > 0 { parts.append("reused \(reusedTokens)") }
        parts.append(part("answer", tokens.count, decodeDuration, decodeTokensPerSecond))
        if draft.drafted > 0 {
            parts.append(
                "\(steps) steps of \(Format.decimal(tokensPerStep ?? 0, 2)) tokens (\(draft.drafted) drafted, "
                    + "\(draft.accepted) accepted, retrieval \(Format.decimal(draft.retrievalDuration.milliseconds, 1)) ms)"
            )
        }
        parts.append("ended by \(finishReason)")
        return parts.joined(separator: ", ")
    }
}
