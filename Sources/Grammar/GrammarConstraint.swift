// A grammar over the tokens of a vocabulary, and a sequence of tokens that follows it.

/// A grammar over the tokens of a vocabulary. Shared by all sequences that follow the grammar, on any threads.
package final class GrammarConstraint: Sendable {
    let grammar: Grammar
    let vocabulary: TokenTrie
    private let cache: MaskCache

    /// - Parameters:
    ///   - grammar: The grammar.
    ///   - vocabulary: The tokens.
    ///   - cacheLimit: The maximum memory of masks that are kept, in bytes.
    package init(_ grammar: Grammar, vocabulary: TokenTrie, cacheLimit: Int = 32 << 20) {
        (self.grammar, self.vocabulary) = (grammar, vocabulary)
        cache = MaskCache(grammar.automaton, vocabulary, limit: cacheLimit)
    }

    /// The memory of the masks that are kept, in bytes.
    package var cacheSize: Int { cache.size }

    /// Adds the tokens that may follow.
    fileprivate func addTokens(after configuration: Configuration, to mask: inout TokenMask) {
        let automaton = grammar.automaton
        for reading in configuration.readings {
            let state = cache.mask(of: reading.state)
            guard reading.frame.depth + state.depth <= automaton.limits.depth else {
                addTokens(of: vocabulary.trie, after: Configuration(readings: [reading]), to: &mask)
                continue
            }
            state.add(to: &mask)
            guard let endings = state.endings, !reading.frame.returns.isEmpty else { continue }
            // The tokens that end the rule, and go on in the rules that called it.
            addTokens(of: endings, after: automaton.configuration(at: reading.frame.returns), to: &mask)
        }
    }

    /// Adds tokens of `trie` by walking down.
    private func addTokens(of trie: ByteTrie, after configuration: Configuration, to mask: inout TokenMask) {
        var walk = TrieWalk(grammar.automaton, trie, mask: mask)
        // The walk has the only reference to the bits now, so they are not copied.
        mask = TokenMask(tokenCount: 0)
        walk.walk(configuration)
        mask = walk.finish()
    }
}

/// A sequence of tokens so far that follows a grammar.
///
/// A value: copies go on independently, and cost little. So each node of a draft tree has its own: the state of its parent after
/// ``accept(_:)`` of its token.
package struct GrammarState: Sendable {
    private let constraint: GrammarConstraint
    private var matcher: GrammarMatcher
    /// Whether a token has ended the text.
    package private(set) var isEnded = false

    /// The state before the first token.
    package init(_ constraint: GrammarConstraint) {
        self.constraint = constraint
        matcher = GrammarMatcher(constraint.grammar)
    }

    /// Whether the text is complete, so that a token may end it.
    package var isComplete: Bool { matcher.isAccepting }

    /// Whether no token can follow but those that end the text.
    package var isFinished: Bool { isEnded || matcher.isFinished }

    /// Sets `mask` to the tokens that may follow: those with whose bytes the text can still be completed, and, if it is complete, those
    /// that end it. None after the end.
    ///
    /// - Parameter mask: A set of tokens of the constraint's vocabulary. Its memory is used again.
    package func mask(into mask: inout TokenMask) {
        guard mask.tokenCount == constraint.vocabulary.tokenCount else {
            mask = TokenMask(tokenCount: constraint.vocabulary.tokenCount)
            return self.mask(into: &mask)
        }
        mask.removeAll()
        guard !isEnded else { return }
        constraint.addTokens(after: matcher.configuration, to: &mask)
        if isComplete {
            for token in constraint.vocabulary.endTokens { mask.insert(token) }
        }
    }

    /// Whether `token` may follow: whether the mask has it. Much cheaper than the mask.
    package func allows(_ token: Int32) -> Bool {
        var copy = self
        return copy.accept(token)
    }

    /// Adds a token to the text.
    ///
    /// - Returns: Whether it is allowed. If not, nothing changes.
    @discardableResult
    package mutating func accept(_ token: Int32) -> Bool {
        guard !isEnded else { return false }
        if constraint.vocabulary.endTokens.contains(token) {
            isEnded = isComplete
            return isComplete
        }
        let bytes = constraint.vocabulary.bytes(of: token)
        return !bytes.isEmpty && matcher.advance(bytes)
    }
}
