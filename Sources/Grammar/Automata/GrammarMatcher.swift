// A text under construction that follows a grammar.

/// A text so far, seen by a grammar. A value: copies go on independently, so each node of a draft tree can have its own.
package struct GrammarMatcher: Sendable {
    private let automaton: PushdownAutomaton
    private(set) var configuration: Configuration

    /// The empty text.
    package init(_ grammar: Grammar) {
        automaton = grammar.automaton
        configuration = automaton.initial
    }

    /// Whether the text is complete. It may be possible to go on all the same.
    package var isAccepting: Bool { configuration.isAccepting }

    /// Whether no byte can follow.
    package var isFinished: Bool { configuration.readings.isEmpty }

    /// Whether the text with `bytes` after it is allowed, complete or not.
    package func allows(_ bytes: some Sequence<UInt8>) -> Bool {
        var copy = self
        return copy.advance(bytes)
    }

    /// Adds bytes to the text.
    ///
    /// - Returns: Whether they are allowed. If not, nothing changes.
    @discardableResult
    package mutating func advance(_ bytes: some Sequence<UInt8>) -> Bool {
        var next = configuration
        for byte in bytes {
            next = automaton.advance(next, by: byte)
            if next.isDead { return false }
        }
        configuration = next
        return true
    }
}
