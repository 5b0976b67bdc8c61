// A suffix automaton: all repetitions in a growing text.

package import InferTokenizers

/// A suffix automaton over token ids, built online (Blumer et al., "The Smallest Automaton Recognizing the Subwords of
/// a Text", 1985). Adding a token takes amortised constant time.
///
/// A state represents a class of substrings that end at the same positions. The automaton keeps the number of
/// occurrences and the last end position of each class. Adding a token updates both for the ``countingDepth`` longest
/// classes of endings of the text. These are all classes, except in a text that repeats one token many times.
package struct SuffixAutomaton: Sendable {
    /// The number of a state.
    package typealias State = Int32

    /// The state of the empty string.
    package static let start: State = 0
    /// Number of classes whose counts are updated when a token is added.
    private static let countingDepth = 64

    private struct Node {
        /// Length of the longest substring of the class.
        var length: Int32
        /// The class of the longest proper ending of these substrings that also occurs elsewhere.
        var link: State
        var occurrences: Int32 = 0
        /// Position of the last token of the most recent occurrence.
        var lastEnd: Int32 = -1
        /// The first element of the class's list of transitions.
        var firstEdge: Int32 = -1
    }

    private struct Edge {
        var token: TokenID
        var target: State
        var next: Int32
    }

    private var nodes = [Node(length: 0, link: -1)]
    private var edges: [Edge] = []
    private var table = EdgeTable()
    /// The state of the whole text.
    private var last = start
    /// Number of tokens in the text.
    package private(set) var count = 0

    /// The automaton of an empty text.
    package init() {}

    /// The class of the longest ending of the text that also occurs elsewhere in the text.
    package var repeatedEnding: State { max(nodes[Int(last)].link, Self.start) }

    /// Length of the longest substring of a class.
    package func length(_ state: State) -> Int { Int(nodes[Int(state)].length) }

    /// The class of the longest ending of a class's substrings that occurs at more positions.
    package func shorter(_ state: State) -> State { max(nodes[Int(state)].link, Self.start) }

    /// Number of occurrences of the substrings of a class.
    package func occurrences(_ state: State) -> Int { Int(nodes[Int(state)].occurrences) }

    /// Position of the last token of the most recent occurrence of a class's substrings.
    package func lastEnd(_ state: State) -> Int { Int(nodes[Int(state)].lastEnd) }

    /// The class of the substrings of `state` extended by `token`; nil if `token` does not follow them.
    package func next(_ state: State, _ token: TokenID) -> State? {
        table.find(state, token).map { edges[Int($0)].target }
    }

    /// Calls `body` with each token that follows the substrings of a class, and with the resulting class.
    package func forEachContinuation(of state: State, _ body: (TokenID, State) -> Void) {
        var edge = nodes[Int(state)].firstEdge
        while edge >= 0 {
            body(edges[Int(edge)].token, edges[Int(edge)].target)
            edge = edges[Int(edge)].next
        }
    }

    /// Removes the text. The memory is kept, so that a text that is replaced again and again takes the same memory all the time.
    package mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        nodes.append(Node(length: 0, link: -1))
        edges.removeAll(keepingCapacity: true)
        table.removeAll()
        last = Self.start
        count = 0
    }

    /// Adds a token to the text.
    package mutating func append(_ token: TokenID) {
        let current = State(nodes.count)
        nodes.append(Node(length: nodes[Int(last)].length + 1, link: Self.start))
        var state = last
        var target: State?
        while state >= 0 {
            target = next(state, token)
            if target != nil { break }
            addEdge(state, token, current)
            state = nodes[Int(state)].link
        }
        if let target {
            nodes[Int(current)].link = split(target, after: state, by: token)
        }
        last = current
        countOccurrence(current)
        count += 1
    }

    /// The class where the search for endings followed by `token` stops: `target`, or a new class for its shorter
    /// substrings if only those end the text.
    private mutating func split(_ target: State, after state: State, by token: TokenID) -> State {
        guard nodes[Int(target)].length != nodes[Int(state)].length + 1 else { return target }
        let clone = State(nodes.count)
        var node = nodes[Int(target)]
        node.length = nodes[Int(state)].length + 1
        node.firstEdge = -1
        nodes.append(node)
        var edge = nodes[Int(target)].firstEdge
        while edge >= 0 {
            addEdge(clone, edges[Int(edge)].token, edges[Int(edge)].target)
            edge = edges[Int(edge)].next
        }
        nodes[Int(target)].link = clone
        var state = state
        while state >= 0, let edge = table.find(state, token), edges[Int(edge)].target == target {
            edges[Int(edge)].target = clone
            state = nodes[Int(state)].link
        }
        return clone
    }

    private mutating func addEdge(_ state: State, _ token: TokenID, _ target: State) {
        let edge = Int32(edges.count)
        edges.append(Edge(token: token, target: target, next: nodes[Int(state)].firstEdge))
        nodes[Int(state)].firstEdge = edge
        table.insert(state, token, edge)
    }

    private mutating func countOccurrence(_ current: State) {
        var state = current
        for _ in 0..<Self.countingDepth {
            guard state > Self.start else { return }
            nodes[Int(state)].occurrences += 1
            nodes[Int(state)].lastEnd = Int32(count)
            state = nodes[Int(state)].link
        }
    }
}

/// An open-addressing hash table from (state, token) to the number of a transition.
struct EdgeTable {
    private struct Slot {
        var key: UInt64
        var edge: Int32
    }

    private static let free = UInt64.max
    private var slots = [Slot](repeating: Slot(key: free, edge: 0), count: 256)
    private var count = 0

    func find(_ state: Int32, _ token: TokenID) -> Int32? {
        let slot = slots[slot(of: Self.key(state, token))]
        return slot.key == Self.free ? nil : slot.edge
    }

    /// Removes all transitions. The memory is kept.
    mutating func removeAll() {
        for index in slots.indices { slots[index].key = Self.free }
        count = 0
    }

    /// Adds a transition that is not in the table yet.
    mutating func insert(_ state: Int32, _ token: TokenID, _ edge: Int32) {
        if (count + 1) * 2 > slots.count { grow() }
        let key = Self.key(state, token)
        slots[slot(of: key)] = Slot(key: key, edge: edge)
        count += 1
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(key: Self.free, edge: 0), count: old.count * 2)
        for slot in old where slot.key != Self.free { slots[self.slot(of: slot.key)] = slot }
    }

    private static func key(_ state: Int32, _ token: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: state)) << 32 | UInt64(UInt32(bitPattern: token))
    }

    private func slot(of key: UInt64) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: ((key ^ key >> 32) &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while slots[index].key != key, slots[index].key != Self.free { index = (index + 1) & mask }
        return index
    }
}
