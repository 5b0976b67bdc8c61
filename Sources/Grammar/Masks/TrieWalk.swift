// Finds the tokens that the automaton allows, by walking down the trie.

/// Walks down a trie of tokens along the bytes that the automaton allows, and collects the tokens on the way.
struct TrieWalk: ~Copyable {
    private let automaton: PushdownAutomaton
    private let trie: ByteTrie
    /// Whether ``exits`` and ``depth`` are wanted.
    private let wantsExits: Bool

    /// The tokens found.
    private(set) var mask: TokenMask
    /// The nodes with others below them at which the bottom frame's call ends. The tokens below them depend on what is below that frame.
    private(set) var exits: [Int32] = []
    /// The greatest depth of a frame on the way.
    private(set) var depth = 1
    /// The states on the path to the current node, by depth, as long as there is one reading and no call.
    private var path: [Int32]

    /// A walk that adds tokens to `mask`.
    init(_ automaton: PushdownAutomaton, _ trie: ByteTrie, mask: consuming TokenMask, wantsExits: Bool = false) {
        (self.automaton, self.trie, self.wantsExits) = (automaton, trie, wantsExits)
        self.mask = mask
        path = Array(repeating: 0, count: trie.maximumDepth + 1)
    }

    /// Walks through the nodes below `node`.
    mutating func walk(below node: Int32 = 0, _ configuration: Configuration) {
        if configuration.readings.count == 1 {
            walk(below: node, configuration.readings[0])
        } else if !configuration.readings.isEmpty {
            walkAll(below: node, configuration)
        }
    }

    /// Ends the walk.
    consuming func finish() -> TokenMask { mask }

    /// Walks with any readings.
    private mutating func walkAll(below node: Int32, _ configuration: Configuration) {
        let end = trie.nodes[Int(node)].end
        var child = node + 1
        while child < end {
            let next = automaton.advance(configuration, by: trie.nodes[Int(child)].byte)
            if !next.isDead { enter(child, next) }
            child = trie.nodes[Int(child)].end
        }
    }

    /// Takes the tokens of a node that is reached, and those below it.
    private mutating func enter(_ node: Int32, _ configuration: Configuration) {
        takeTokens(node)
        if wantsExits {
            for reading in configuration.readings { depth = max(depth, reading.frame.depth) }
            if configuration.isAccepting { noteExit(node) }
        }
        walk(below: node, configuration)
    }

    /// Walks with one reading. As long as it calls nothing and returns to nothing, a table says all.
    private mutating func walk(below node: Int32, _ reading: Configuration.Reading) {
        let end = trie.nodes[Int(node)].end
        path[Int(trie.nodes[Int(node)].depth)] = reading.state
        // At the bottom, a call that ends leads to no reading.
        let isBottom = reading.frame.returns.isEmpty
        var child = node + 1
        while child < end {
            let entry = trie.nodes[Int(child)]
            let depth = Int(entry.depth)
            let next = automaton.next(path[depth - 1], entry.byte)
            guard next >= 0, automaton.hasRoom(next, reading.frame) else {
                child = entry.end
                continue
            }
            let flags = automaton.flags[Int(next)]
            if flags == .taking || (isBottom && !flags.contains(.calling)) {
                path[depth] = next
                takeTokens(child)
                if wantsExits, flags.contains(.accepting) { noteExit(child) }
                child += 1
            } else {
                let arrived = Configuration.Reading(state: next, frame: reading.frame)
                enter(child, automaton.configuration(at: [arrived]))
                child = entry.end
            }
        }
    }

    private mutating func takeTokens(_ node: Int32) {
        for token in trie.tokens(at: node) { mask.insert(token) }
    }

    private mutating func noteExit(_ node: Int32) {
        if trie.nodes[Int(node)].end > node + 1 { exits.append(node) }
    }
}
