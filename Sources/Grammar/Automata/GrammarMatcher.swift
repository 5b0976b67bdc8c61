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

    /// The bytes that must follow because there is no choice, at most `limit`. Empty where the text may end.
    package func forcedBytes(limit: Int = 256) -> [UInt8] {
        var bytes: [UInt8] = []
        var next = configuration
        while bytes.count < limit, !next.isAccepting, let byte = automaton.onlyByte(of: next) {
            bytes.append(byte)
            next = automaton.advance(next, by: byte)
        }
        return bytes
    }
}

extension PushdownAutomaton {
    /// The byte that must follow; nil if there is a choice or none can follow.
    fileprivate func onlyByte(of configuration: Configuration) -> UInt8? {
        var only: UInt8?
        for byte in UInt8.min...UInt8.max where configuration.readings.contains(where: { next($0.state, byte) >= 0 }) {
            if only != nil { return nil }
            only = byte
        }
        return only
    }
}
