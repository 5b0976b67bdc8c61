// Iterating over a generation's events.

public import InferSupport

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
