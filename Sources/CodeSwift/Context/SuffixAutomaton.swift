// A suffix automaton: all repetitions in a growing text.

package import InferTokenizers

/// A suffix automaton over token ids, built online (Blumer et al., "The Smallest Automaton Recognizing the Subwords of
/// a Text", 1985). Adding a token takes amortised constant time.
///
/// A state represents a class of substrings that end at the same positions. The automaton keeps the number of
/// occurrences and the last end position of each class. Adding a token updates both for the ``countingDepth`` longest
/// classes of endings of the text. These are all classes, except in a text that repeats one token many times.
///
/// n tokens have at most 2n classes and 3n transitions.
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

    private var nodes = [Node(length: 0, link: -1)]
    private var edges = EdgeTable()
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
    package func next(_ state: State, _ token: TokenID) -> State? { edges.find(state, token).map { edges[$0].target } }

    /// Calls `body` with each token that follows the substrings of a class, and with the resulting class.
    package func forEachContinuation(of state: State, _ body: (TokenID, State) -> Void) {
        var edge = nodes[Int(state)].firstEdge
        while edge >= 0 {
            body(edges[edge].token, edges[edge].target)
            edge = edges[edge].next
        }
    }

    /// The memory that is taken, in bytes.
    package var byteCount: Int { nodes.capacity * MemoryLayout<Node>.stride + edges.byteCount }

    /// Takes the memory for a text of `tokens` tokens, whatever it is, so that none is taken while the text grows up to there.
    package mutating func reserve(tokens: Int) {
        nodes.takeCapacity(2 * tokens, filler: Node(length: 0, link: -1))
        edges.reserve(3 * tokens)
    }

    /// Removes the text. The memory is kept, so that a text that is replaced again and again takes the same memory all the time.
    package mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        nodes.append(Node(length: 0, link: -1))
        edges.removeAll()
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
            addEdge(clone, edges[edge].token, edges[edge].target)
            edge = edges[edge].next
        }
        nodes[Int(target)].link = clone
        var state = state
        while state >= 0, let edge = edges.find(state, token), edges[edge].target == target {
            edges.setTarget(of: edge, clone)
            state = nodes[Int(state)].link
        }
        return clone
    }

    private mutating func addEdge(_ state: State, _ token: TokenID, _ target: State) {
        nodes[Int(state)].firstEdge = edges.insert(
            EdgeTable.Edge(source: state, token: token, target: target, next: nodes[Int(state)].firstEdge))
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

/// The transitions, with an open-addressing hash table from (state, token) to the number of a transition.
private struct EdgeTable {
    struct Edge {
        var source: SuffixAutomaton.State
        var token: TokenID
        var target: SuffixAutomaton.State
        /// The next transition of the same state.
        var next: Int32
    }

    private static let free: Int32 = -1
    private var edges: [Edge] = []
    /// Numbers of transitions; at least twice as many slots as transitions.
    private var slots = [Int32](repeating: free, count: 256)

    /// The memory that is taken, in bytes.
    var byteCount: Int {
        edges.capacity * MemoryLayout<Edge>.stride + slots.capacity * MemoryLayout<Int32>.stride
    }

    subscript(edge: Int32) -> Edge { edges[Int(edge)] }

    func find(_ state: SuffixAutomaton.State, _ token: TokenID) -> Int32? {
        let edge = slots[slot(of: state, token)]
        return edge == Self.free ? nil : edge
    }

    mutating func setTarget(of edge: Int32, _ target: SuffixAutomaton.State) { edges[Int(edge)].target = target }

    /// Takes the memory for `count` transitions.
    mutating func reserve(_ count: Int) {
        edges.takeCapacity(count, filler: Edge(source: 0, token: 0, target: 0, next: 0))
        var size = slots.count
        while size < 2 * count { size *= 2 }
        if size > slots.count { resize(to: size) }
    }

    /// Removes all transitions. The memory is kept.
    mutating func removeAll() {
        edges.removeAll(keepingCapacity: true)
        for index in slots.indices { slots[index] = Self.free }
    }

    /// Adds a transition that is not in the table yet. Returns its number.
    mutating func insert(_ edge: Edge) -> Int32 {
        if (edges.count + 1) * 2 > slots.count { resize(to: 2 * slots.count) }
        let number = Int32(edges.count)
        edges.append(edge)
        slots[slot(of: edge.source, edge.token)] = number
        return number
    }

    private mutating func resize(to size: Int) {
        slots = [Int32](repeating: Self.free, count: size)
        for number in edges.indices {
            slots[slot(of: edges[number].source, edges[number].token)] = Int32(number)
        }
    }

    /// The slot of a transition, or the free slot where it belongs.
    private func slot(of state: SuffixAutomaton.State, _ token: TokenID) -> Int {
        let key = UInt64(UInt32(bitPattern: state)) << 32 | UInt64(UInt32(bitPattern: token))
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: ((key ^ key >> 32) &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while slots[index] != Self.free {
            let edge = edges[Int(slots[index])]
            if edge.source == state, edge.token == token { break }
            index = (index + 1) & mask
        }
        return index
    }
}

extension Array {
    /// Takes the memory for `count` elements from the system. Memory that is only reserved would come page by page, as it is written.
    mutating func takeCapacity(_ count: Int, filler: Element) {
        guard capacity < count else { return }
        reserveCapacity(count)
        let missing = count - self.count
        append(contentsOf: repeatElement(filler, count: missing))
        removeLast(missing)
    }
}
