// The tokens that each state of the automaton allows, found once.

import Synchronization

/// The tokens that a state allows.
final class StateMask: Sendable {
    /// The tokens that can follow whatever is on the stack.
    private let tokens: Tokens
    /// The tokens that may end the state's rule and go on behind it, by their bytes behind it. They depend on the stack. nil if there are
    /// none.
    let endings: ByteTrie?
    /// How much deeper than the state's own call the nesting may have to be. With less room, some of the tokens may lead to no end.
    let depth: Int

    private enum Tokens: Sendable {
        case few([Int32])
        case many(TokenMask)
    }

    init(_ mask: TokenMask, endings: ByteTrie?, depth: Int) {
        tokens = mask.count <= mask.words.count / 2 ? .few(mask.tokens) : .many(mask)
        (self.endings, self.depth) = (endings, depth)
    }

    /// The memory it takes, in bytes.
    var size: Int {
        let size = 128 + (endings?.size ?? 0)
        return switch tokens {
        case .few(let tokens): size + tokens.count * MemoryLayout<Int32>.stride
        case .many(let mask): size + mask.words.count * MemoryLayout<UInt64>.stride
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
    private let vocabulary: TokenTrie
    private let limit: Int
    private let content: Mutex<Content>

    /// - Parameter limit: The maximum memory of the masks, in bytes.
    init(_ automaton: PushdownAutomaton, _ vocabulary: TokenTrie, limit: Int) {
        (self.automaton, self.vocabulary, self.limit) = (automaton, vocabulary, limit)
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
            automaton, vocabulary.trie, mask: TokenMask(tokenCount: vocabulary.tokenCount), wantsExits: true)
        let bottom = Frame(returns: [], isBottom: true)
        walk.walk(Configuration(readings: [Configuration.Reading(state: state, frame: bottom)]))
        let endings = endings(walk.exits, automaton.followingBytes(of: state))
        let depth = walk.depth + automaton.maximumNesting
        return StateMask(walk.finish(), endings: endings, depth: depth)
    }

    /// The tokens below nodes of the trie at which a rule ends, by their bytes from there on. Only those that go on with one of `bytes`
    /// count.
    private func endings(_ exits: [Int32], _ bytes: ByteSet) -> ByteTrie? {
        var entries: [(token: Int32, range: Range<Int>)] = []
        for exit in exits {
            let node = vocabulary.trie.nodes[Int(exit)]
            var child = exit + 1
            while child < node.end {
                if bytes.contains(vocabulary.trie.nodes[Int(child)].byte) {
                    for token in vocabulary.trie.tokens(from: child) {
                        entries.append((token, vocabulary.range(of: token).dropFirst(Int(node.depth))))
                    }
                }
                child = vocabulary.trie.nodes[Int(child)].end
            }
        }
        return entries.isEmpty ? nil : ByteTrie(entries, of: vocabulary.bytes)
    }
}
