// A conversation with a model that remembers what was said, and calls tools.

public import InferSupport
public import InferTemplates
import InferTokenizers
import Synchronization

/// A conversation with a model.
///
/// It remembers what was said (``transcript``) and passes it on with each question. The session keeps what was computed, so that a turn
/// evaluates its new tokens only. When the context is full, the model forgets the oldest turns, before an answer or within it; the
/// transcript keeps them.
///
/// ```swift
/// let chat = Chat(try model.makeSession(), instructions: "Answer in one sentence.")
/// print(try await chat.respond(to: "What is a trie?").text)
/// print(try await chat.respond(to: "And a suffix array?").text)
/// ```
///
/// The model may call ``tools``: their results go back to it until it answers with text.
public final class Chat: Sendable {
    /// The session. Nothing else should generate with it: what it has computed would have to be computed again.
    public let session: Session
    /// The tools that the model can call.
    public let tools: [Tool]
    /// How often, for one question, the results of tools go back to the model.
    public let maximumToolRounds: Int
    /// The variables and the date of the chat template.
    let template: ChatOptions
    /// How messages become prompts.
    let format: Format
    private let state: Mutex<State>

    private struct State {
        var transcript: Transcript
        /// The right to the running answer.
        weak var ticket: GenerationTicket?
    }

    /// How messages become prompts.
    package struct Format: Sendable {
        /// Whether control tokens spelled in messages are read as such.
        package var parsesSpecialTokens = false
        /// Whether the last message is continued, without a template and without what was said before.
        package var isCompletion = false

        /// By the template.
        package init() {}
    }

    /// A conversation in which nothing was said.
    ///
    /// - Parameters:
    ///   - session: A session that is not generating.
    ///   - tools: The tools that the model can call.
    ///   - instructions: Instructions for the whole conversation; nil for none.
    ///   - template: Variables of the chat template, such as `enable_thinking`, and its date. Its tools do not count.
    ///   - maximumToolRounds: How often, for one question, the results of tools go back to the model.
    public convenience init(
        _ session: Session, tools: [Tool] = [], instructions: String? = nil, template: ChatOptions = .init(),
        maximumToolRounds: Int = 8
    ) {
        self.init(
            session, tools: tools, transcript: Transcript(instructions: instructions), template: template,
            maximumToolRounds: maximumToolRounds)
    }

    /// A conversation that goes on after `transcript`.
    public convenience init(
        _ session: Session, tools: [Tool] = [], transcript: Transcript, template: ChatOptions = .init(),
        maximumToolRounds: Int = 8
    ) {
        self.init(
            session, tools: tools, transcript: transcript, template: template, maximumToolRounds: maximumToolRounds,
            format: Format())
    }

    package init(
        _ session: Session, tools: [Tool] = [], transcript: Transcript, template: ChatOptions = .init(),
        maximumToolRounds: Int = 8, format: Format
    ) {
        self.session = session
        self.tools = tools
        self.maximumToolRounds = maximumToolRounds
        self.format = format
        var template = template
        template.tools = tools.map(\.definition)
        self.template = template
        state = Mutex(State(transcript: transcript))
    }

    // MARK: Transcript

    /// What was said. A turn is added when its answer is complete, or when the task is cancelled after its text has begun. An answer
    /// that throws, or whose stream is left, leaves nothing behind.
    public var transcript: Transcript { state.withLock { $0.transcript } }

    /// Whether an answer has begun and not ended.
    public var isResponding: Bool { state.withLock { $0.ticket != nil } }

    /// Changes what was said: for example, takes back the last turn.
    ///
    /// - Returns: What `change` returns.
    /// - Throws: ``InferenceError`` with `busy` during an answer.
    @discardableResult
    public func changeTranscript<R: Sendable>(
        _ change: (inout Transcript) -> R
    ) throws(InferenceError) -> R {
        try state.withLock { state throws(InferenceError) in
            try Self.requireIdle(state)
            return change(&state.transcript)
        }
    }

    /// The number of tokens that the model reads for what was said, without what it has forgotten.
    ///
    /// - Throws: ``InferenceError``, as ``Model/tokens(for:limit:)`` does.
    public func tokenCount() throws(InferenceError) -> Int { try tokenCount(of: transcript.visibleMessages) }

    /// The number of tokens that the model reads for `messages`.
    package func tokenCount(
        of messages: [ChatMessage], skipsThinking: Bool = false
    ) throws(InferenceError) -> Int {
        messages.isEmpty ? 0 : try session.model.tokens(for: prompt(for: messages, skipsThinking: skipsThinking)).count
    }

    // MARK: Answers

    /// Answers a question. If the task is cancelled, returns the answer so far.
    ///
    /// - Parameters:
    ///   - question: The question; nil to answer what the transcript ends with.
    ///   - options: The options of the generations, as long as the answer takes several. ``GenerationOptions/maximumTokens`` is that of
    ///     all of them. With a ``GenerationOptions/grammar`` the answer has neither thoughts nor calls.
    ///   - requiresToolCall: Whether the answer has to begin with a call of a tool, whose arguments its schema allows: see
    ///     ``Model/toolCallGrammar(for:)``.
    /// - Throws: ``InferenceError``: `busy` during another answer; `contextFull` if the question alone does not fit; `incompleteAnswer`
    ///   if the model calls tools again and again; `invalidArgument` for two tools of one name, or if there is nothing to answer; those of
    ///   ``Session/respond(to:options:)``.
    public func respond(
        to question: String? = nil, options: GenerationOptions = .init(), requiresToolCall: Bool = false
    ) async throws(InferenceError) -> Response {
        try await streamResponse(to: question, options: options, requiresToolCall: requiresToolCall).response()
    }

    /// Answers a question with a value of a type, in the way of ``Session/respond(to:generating:options:)``.
    ///
    /// - Throws: ``InferenceError``, as that function and ``respond(to:options:requiresToolCall:)`` do.
    public func respond<Content: Generable>(
        to question: String, generating type: Content.Type, options: GenerationOptions = .init()
    ) async throws(InferenceError) -> StructuredResponse<Content> {
        var options = options
        options.grammar = try type.jsonSchema.grammar()
        return try StructuredResponse(decoding: try await respond(to: question, options: options))
    }

    /// Answers a question, event by event. All work happens while the result is iterated over; parameters and errors are those of
    /// ``respond(to:options:requiresToolCall:)``.
    public func streamResponse(
        to question: String? = nil, options: GenerationOptions = .init(), requiresToolCall: Bool = false
    ) -> ResponseStream {
        ResponseStream(chat: self, question: question, options: options, requiresToolCall: requiresToolCall)
    }

    // MARK: For answers

    /// The prompt for an answer to `messages`.
    func prompt(for messages: [ChatMessage], skipsThinking: Bool) -> Prompt {
        let parsesSpecialTokens = format.parsesSpecialTokens
        guard !format.isCompletion else {
            return .text(messages.last?.content ?? "", parsesSpecialTokens: parsesSpecialTokens)
        }
        return .chat(
            messages, options: template(skipsThinking: skipsThinking), parsesSpecialTokens: parsesSpecialTokens)
    }

    /// The options of the template.
    func template(skipsThinking: Bool) -> ChatOptions {
        var template = template
        if skipsThinking { template.skipsThinking = true }
        return template
    }

    /// Begins an answer: the transcript cannot change until its ticket is released, or ends.
    func begin(_ ticket: GenerationTicket) throws(InferenceError) -> Transcript {
        try state.withLock { state throws(InferenceError) in
            try Self.requireIdle(state)
            state.ticket = ticket
            return state.transcript
        }
    }

    /// Ends an answer.
    ///
    /// - Parameter transcript: What is said now; nil if nothing was added.
    func end(_ transcript: Transcript?) {
        state.withLock { state in
            state.ticket = nil
            if let transcript { state.transcript = transcript }
        }
    }

    private static func requireIdle(_ state: borrowing State) throws(InferenceError) {
        guard state.ticket == nil else {
            throw InferenceError(.busy, "the chat is answering already; a chat answers one question at a time")
        }
    }
}

extension Chat {
    /// An event of an answer.
    public enum Event: Sendable {
        /// Another part of a prompt is evaluated: the number of evaluated tokens, including reused ones, and that of all tokens.
        case progress(evaluated: Int, of: Int)
        /// The context is full: from now on the model does not see so many of the oldest turns.
        case forgot(turns: Int)
        /// The next token, if ``GenerationOptions/reportsTokens``. Its text follows when it is certain.
        case token(GeneratedToken)
        /// More text of the answer.
        case text(String)
        /// More of what the model thinks before it answers.
        case thinking(String)
        /// The model calls a tool.
        case toolCall(ToolCall)
        /// The result of a call, which goes back to the model.
        case toolResult(String, of: ToolCall)
        /// The end, exactly once.
        case finished(Response)

        init(_ part: AnswerPart) {
            self =
                switch part {
                case .text(let text): .text(text)
                case .thinking(let text): .thinking(text)
                case .toolCall(let call): .toolCall(call)
                }
        }
    }

    /// The answer to a question as a sequence of events.
    ///
    /// It is pull-based, as a ``Generation`` is: all work happens inside the iterator's `next()`. Each iteration answers anew.
    public struct ResponseStream: AsyncSequence, Sendable {
        /// The kind of error an answer can throw.
        public typealias Failure = InferenceError

        let chat: Chat
        let question: String?
        let options: GenerationOptions
        let requiresToolCall: Bool

        /// Runs to the end and returns the whole answer.
        public func response() async throws(InferenceError) -> Response {
            for try await case .finished(let response) in self { return response }
            throw InferenceError(.cancelled, "the answer has no end")
        }

        /// An iterator that has not begun.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(run: ChatRun(self)) }

        /// One answer. It begins with the first `next()`, and ends with the last event or this value's lifetime.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var run: ChatRun?

            /// Does the work up to the next event. Tools are called here, where the caller is.
            ///
            /// - Throws: ``InferenceError``, as ``Chat/respond(to:options:requiresToolCall:)`` does.
            public mutating func next(
                isolation actor: isolated (any Actor)? = #isolation
            ) async throws(InferenceError) -> Event? {
                do {
                    let event = try await run?.nextEvent()
                    if case .finished = event { run = nil }
                    return event
                } catch {
                    run = nil
                    throw error
                }
            }
        }
    }
}
