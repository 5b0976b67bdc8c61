// The tokens that each state of the automaton allows, found once.

import Synchronization

/// The tokens that a state allows.
final class StateMask: Sendable {
    /// The tokens that can follow whatever is on the stack.
    private let tokens: Tokens
    /// The nodes of the trie at which the state's rule ends. The tokens below them depend on the stack.
    let exits: [Int32]

    private enum Tokens: Sendable {
        case few([Int32])
        case many(TokenMask)
    }

    init(_ mask: TokenMask, exits: [Int32]) {
        tokens = mask.count <= mask.words.count / 2 ? .few(mask.tokens) : .many(mask)
        self.exits = exits
    }

    /// The memory it takes, in bytes.
    var size: Int {
        switch tokens {
        case .few(let tokens): 64 + 4 * (tokens.count + exits.count)
        case .many(let mask): 64 + 8 * mask.words.count + 4 * exits.count
        }
    }

    /// Adds the tokens to `mask`.
    func add(to mask: inout TokenMask) {
        switch tokens {
        case .few(let tokens): for token in tokens { mask.insert(token) }
        case .many(let other): mask.formUnion(other)
        }
    }
}

/// The masks of an automaton's states over one vocabulary. Finding one takes up to some milliseconds; then it is kept.
///
/// When the masks take more memory than the limit, all are dropped, and found again as needed.
final class MaskCache: Sendable {
    private struct Content {
        var masks: [StateMask?]
        var size = 0
    }

    private let automaton: PushdownAutomaton
    private let trie: TokenTrie
    private let limit: Int
    private let content: Mutex<Content>

    /// - Parameter limit: The maximum memory of the masks, in bytes.
    init(_ automaton: PushdownAutomaton, _ trie: TokenTrie, limit: Int) {
        (self.automaton, self.trie, self.limit) = (automaton, trie, limit)
        content = Mutex(Content(masks: Array(repeating: nil, count: automaton.stateCount)))
    }

    /// The memory of the masks, in bytes.
    var size: Int { content.withLock { $0.size } }

    /// The mask of `state`.
    func mask(of state: Int32) -> StateMask {
        if let known = content.withLock({ $0.masks[Int(state)] }) { return known }
        // Outside the lock, so that others do not wait. If two find the same mask, one is dropped.
        let mask = find(state)
        content.withLock { content in
            guard content.masks[Int(state)] == nil else { return }
            if content.size + mask.size > limit {
                content = Content(masks: Array(repeating: nil, count: content.masks.count))
            }
            content.masks[Int(state)] = mask
            content.size += mask.size
        }
        return mask
    }

    private func find(_ state: Int32) -> StateMask {
        var walk = TrieWalk(
            automaton, trie, mask: TokenMask(tokenCount: trie.tokenCount),
            bytesAfterExit: automaton.followingBytes(of: state))
        let bottom = Frame(returns: [], isBottom: true)
        walk.walk(below: 0, Configuration(readings: [Configuration.Reading(state: state, frame: bottom)]))
        return StateMask(walk.mask, exits: walk.exits)
    }
}
