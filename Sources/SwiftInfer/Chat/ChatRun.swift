// The state of an answer in a chat between two events.

import InferSupport
import InferTemplates
import InferTokenizers

/// A running answer: generations of the model and, between them, calls of tools.
///
/// One message of the model can take several generations: when the context is full, the oldest turns are forgotten, and the message
/// goes on after its tokens so far.
struct ChatRun {
    private enum Phase {
        /// Nothing has been done yet.
        case begin
        /// The model writes a message.
        case generate(Generation.AsyncIterator)
        /// These calls of the last message are to be made.
        case call(ArraySlice<ToolCall>)
    }

    private let chat: Chat
    private let question: String?
    private let options: GenerationOptions
    private let requiresToolCall: Bool
    private let ticket = GenerationTicket()
    private var phase = Phase.begin
    /// What was said, with the question and, as far as it is complete, its answer.
    private var transcript = Transcript()
    /// The number of messages before the answer.
    private var questionCount = 0
    /// Events that come before any other.
    private var events: [Chat.Event] = []
    /// Reads the message that the model writes.
    private var parser = AnswerParser()
    /// What this message must follow; nil for anything.
    private var grammar: Grammar?
    /// The tokens of this message so far.
    private var tokens: [TokenID] = []
    /// The statistics of all ended generations.
    private var statistics: Statistics?
    /// How often the results of tools went back to the model.
    private var rounds = 0

    private var session: Session { chat.session }

    init(_ stream: Chat.ResponseStream) {
        (chat, question, requiresToolCall) = (stream.chat, stream.question, stream.requiresToolCall)
        var options = stream.options
        // Many families mark calls with control tokens.
        if !chat.format.isCompletion { options.includesControlTokens = true }
        self.options = options
    }

    /// The next event. There is none after `finished`.
    mutating func nextEvent() async throws(InferenceError) -> Chat.Event {
        while true {
            if !events.isEmpty { return events.removeFirst() }
            switch phase {
            case .begin: try begin()
            case .generate(var generation):
                guard let event = try await generation.next() else {
                    throw InferenceError(.cancelled, "the generation ended without an account")
                }
                phase = .generate(generation)
                try take(event)
            case .call(let calls):
                guard let call = calls.first else {
                    try beginMessage()
                    continue
                }
                let result = await chat.tools.result(of: call)
                // A call without its result would be a fault in the conversation.
                guard !Task.isCancelled else {
                    statistics?.finishReason = .cancelled
                    finish(with: nil)
                    continue
                }
                transcript.append(ChatMessage(resultOf: call, content: result))
                events.append(.toolResult(result, of: call))
                phase = .call(calls.dropFirst())
            }
        }
    }

    private mutating func begin() throws(InferenceError) {
        transcript = try chat.begin(ticket)
        if let question { transcript.append(ChatMessage(role: .user, content: question)) }
        guard let last = transcript.messages.last, last.role != .assistant else {
            throw InferenceError(
                .invalidArgument, "there is no question: the transcript is empty or ends with an answer")
        }
        let names = chat.tools.map(\.name)
        if let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
            throw InferenceError(.invalidArgument, "two tools have the name \(names[twice].printable)")
        }
        questionCount = transcript.messages.count
        try beginMessage()
    }

    // MARK: Messages of the model

    /// Lets the model write a message.
    private mutating func beginMessage() throws(InferenceError) {
        let isForced = requiresToolCall && rounds == 0
        grammar =
            isForced ? try session.model.toolCallGrammar(for: chat.tools.map(\.definition)) : options.grammar
        tokens = []
        try forget()
        let messages = transcript.visibleMessages
        // An answer of a certain form is text, also if it looks like a call.
        parser = AnswerParser()
        if !chat.format.isCompletion, isForced || grammar == nil {
            parser = try session.model.answerParser(
                for: messages, options: chat.template(skipsThinking: grammar != nil))
        }
        generate(chat.prompt(for: messages, skipsThinking: grammar != nil))
    }

    private mutating func generate(_ prompt: Prompt) {
        phase = .generate(session.generate(prompt, options: currentOptions).makeAsyncIterator())
    }

    /// The options of the next generation.
    private var currentOptions: GenerationOptions {
        var options = options
        options.grammar = grammar
        options.maximumTokens = options.maximumTokens.map { max(0, $0 - (statistics?.tokens.count ?? 0)) }
        return options
    }

    private mutating func take(_ event: Generation.Event) throws(InferenceError) {
        switch event {
        case .progress(let evaluated, let total): events.append(.progress(evaluated: evaluated, of: total))
        case .token(let token): events.append(.token(token))
        case .text(let piece): events += parser.consume(piece).map(Chat.Event.init)
        case .finished(let statistics):
            tokens += statistics.tokens
            if self.statistics == nil { self.statistics = statistics } else { self.statistics?.append(statistics) }
            // A grammar begins anew with each generation.
            if statistics.finishReason == .contextFull, grammar == nil, try forget() > 0 {
                let prompt = chat.prompt(for: transcript.visibleMessages, skipsThinking: false)
                generate(.tokens(try session.model.tokens(for: prompt) + tokens))
            } else {
                try endMessage()
            }
        }
    }

    /// Forgets the oldest turns if the context is full, beside the message so far.
    ///
    /// - Returns: The number of turns that are forgotten.
    @discardableResult
    private mutating func forget() throws(InferenceError) -> Int {
        let reserve = tokens.count + currentOptions.reservedTokens(of: session.contextLength)
        let (chat, skipsThinking) = (chat, grammar != nil)
        let turns = try transcript.fit(session.contextLength, reserve: reserve) { messages throws(InferenceError) in
            try chat.tokenCount(of: messages, skipsThinking: skipsThinking)
        }
        if turns > 0 { events.append(.forgot(turns: turns)) }
        return turns
    }

    private mutating func endMessage() throws(InferenceError) {
        events += parser.finish().map(Chat.Event.init)
        let message = parser.message
        let isCancelled = statistics?.finishReason == .cancelled
        guard !message.toolCalls.isEmpty, !chat.tools.isEmpty, !isCancelled else { return finish(with: message) }
        guard rounds < chat.maximumToolRounds else {
            throw InferenceError(
                .incompleteAnswer, "after \(rounds) rounds of calls the model still calls tools instead of answering")
        }
        rounds += 1
        transcript.append(message)
        phase = .call(message.toolCalls[...])
    }

    /// Ends the answer with the model's last message; nil if there is none.
    private mutating func finish(with message: ChatMessage?) {
        let statistics = statistics ?? Statistics()
        let isEmpty = message.map { $0.content.isEmpty && ($0.thinking ?? "").isEmpty && $0.toolCalls.isEmpty } ?? true
        if let message, !isEmpty || statistics.finishReason != .cancelled {
            transcript.append(message)
            chat.end(transcript)
            events.append(
                .finished(
                    Response(
                        text: message.content, statistics: statistics,
                        messages: Array(transcript.messages[questionCount...]))))
        } else {
            chat.end(nil)
            events.append(.finished(Response(text: "", statistics: statistics, messages: [])))
        }
    }
}
