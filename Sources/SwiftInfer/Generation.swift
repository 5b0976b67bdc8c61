// A running answer: its events, computed as they are asked for.

public import InferSupport

/// The answer to a prompt as a sequence of events.
///
/// It is pull-based: all work happens inside the iterator's `next()`. A loop that is left, or a task that is cancelled,
/// leaves nothing running behind, and its session ends at the last accepted token, ready for the next generation.
/// Each iteration generates anew.
public struct Generation: Sendable {
    /// Something that happened during a generation.
    public enum Event: Sendable {
        /// Another part of the prompt is evaluated: so many tokens of so many, reused ones included.
        case progress(evaluated: Int, of: Int)
        /// More text: whole Unicode scalars, never part of a stop string.
        case text(String)
        /// The end, exactly once.
        case finished(Statistics)
    }

    let session: Session
    let prompt: Prompt
    let options: GenerationOptions

    /// Runs to the end and gives the whole text.
    public func text() async throws(InferenceError) -> String { try await response().text }

    /// Runs to the end and gives text and statistics.
    public func response() async throws(InferenceError) -> Response {
        var text = ""
        var statistics = Statistics()
        for try await event in self {
            switch event {
            case .progress: break
            case .text(let piece): text += piece
            case .finished(let final): statistics = final
            }
        }
        return Response(text: text, statistics: statistics)
    }
}

extension Generation: AsyncSequence {
    /// The kind of error a generation can throw.
    public typealias Failure = InferenceError

    /// Starts over: the first `next()` takes hold of the session, which ends with the events or with this value's life.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let generation: Generation
        var ticket: GenerationTicket? = GenerationTicket()

        /// Does the work up to the next event.
        ///
        /// - Throws: ``InferenceError`` with `busy` when another generation of the session has begun and not ended;
        ///   `contextFull` when the prompt does not fit; `invalidArgument` for senseless options or tokens.
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

/// The right to a session's next steps. The session refers to it weakly, so that it ends with the iterator that has it: a loop
/// that was left needs no further word.
final class GenerationTicket: Sendable {}

/// The whole answer to a prompt.
public struct Response: Sendable {
    /// The text, without stop strings and end-of-text tokens.
    public let text: String
    /// How it came about; ``Statistics/tokens`` are its tokens.
    public let statistics: Statistics
}
