// The answer to a prompt as events, each computed on request.

public import InferSupport
public import InferTemplates
public import InferTokenizers

/// The answer to a prompt as a sequence of events.
///
/// It is pull-based: all work happens inside the iterator's `next()`. After a loop is left, or a task is cancelled, nothing is
/// running, and the session stands at the last accepted token, ready for the next generation. Each iteration generates anew.
public struct Generation: Sendable {
    /// An event of a generation.
    public enum Event: Sendable {
        /// Another part of the prompt is evaluated: the number of evaluated tokens, including reused ones, and that of all tokens.
        case progress(evaluated: Int, of: Int)
        /// The next token, if ``GenerationOptions/reportsTokens``. Its text follows when it is certain to be part of the answer.
        case token(GeneratedToken)
        /// More text: whole Unicode scalars, never part of a stop string.
        case text(String)
        /// The end, exactly once.
        case finished(Statistics)
    }

    let session: Session
    let prompt: Prompt
    let options: GenerationOptions

    /// Runs to the end and returns the whole text.
    public func text() async throws(InferenceError) -> String { try await response().text }

    /// Runs to the end and returns text and statistics.
    public func response() async throws(InferenceError) -> Response { try await Response(of: self) }
}

extension Generation: AsyncSequence {
    /// The kind of error a generation can throw.
    public typealias Failure = InferenceError

    /// One iteration. Its first `next()` takes the session; the last event, or the end of this value's lifetime, releases it.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let generation: Generation
        var ticket: GenerationTicket? = GenerationTicket()

        /// Does the work up to the next event.
        ///
        /// - Throws: ``InferenceError`` with `busy` if another generation of the session has begun and not ended; `contextFull`
        ///   if the prompt does not fit; `invalidArgument` for invalid options or tokens.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(InferenceError) -> Event? {
            guard let ticket else { return nil }
            do {
                let event = try await generation.session.advance(generation, ticket)
                if case .finished = event { self.ticket = nil }
                return event
            } catch {
                self.ticket = nil
                throw error
            }
        }
    }

    /// An iterator that has not begun.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(generation: self) }
}

/// A token of an answer or of a scored text, and what is known of it.
public struct GeneratedToken: Sendable, Hashable {
    /// A token and its probability.
    public struct Alternative: Sendable, Hashable {
        /// The token.
        public let id: TokenID
        /// The natural logarithm of its probability, by the logits without penalties, biases and temperature.
        public let logProbability: Double
    }

    /// The token.
    public let id: TokenID
    /// Its bytes. They can be a part of a character.
    public let bytes: [UInt8]
    /// Whether a draft contained it.
    public internal(set) var isDrafted: Bool
    /// The natural logarithm of its probability; nil unless ``GenerationOptions/topLogProbabilities`` is set.
    public internal(set) var logProbability: Double?
    /// The tokens with the largest probabilities, in descending order.
    public internal(set) var top: [Alternative]
}

/// The right to a session's next steps. The session refers to it weakly, so it ends together with its iterator: after a loop is
/// left, no call is needed to release the session.
final class GenerationTicket: Sendable {}

/// The whole answer to a prompt.
public struct Response: Sendable {
    /// The text, without stop strings and end-of-text tokens. In a ``Chat``, without thoughts and calls of tools.
    public let text: String
    /// The statistics of the generation, or of all generations that the answer took. ``Statistics/tokens`` are the answer's tokens.
    public let statistics: Statistics
    /// What a ``Chat`` adds to its transcript after the question: calls and results of tools, and last the answer. Empty if it adds
    /// nothing, and for answers of a session.
    public let messages: [ChatMessage]

    /// An answer in a chat.
    init(text: String, statistics: Statistics, messages: [ChatMessage]) {
        (self.text, self.statistics, self.messages) = (text, statistics, messages)
    }

    /// Waits for all events of a generation.
    init<Events: AsyncSequence>(
        of events: Events
    ) async throws(InferenceError) where Events.Element == Generation.Event, Events.Failure == InferenceError {
        var text = ""
        var statistics = Statistics()
        for try await event in events {
            switch event {
            case .progress, .token: break
            case .text(let piece): text += piece
            case .finished(let final): statistics = final
            }
        }
        self.init(text: text, statistics: statistics, messages: [])
    }
}
