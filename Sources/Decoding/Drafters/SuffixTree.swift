// Counts of all token sequences up to some length, in a compressed tree.

/// A compressed suffix tree over several texts that grow token by token.
///
/// Each node stands for a sequence of tokens of at most ``depth`` and counts how often it occurs; on an edge no count
/// changes. A further token costs time proportional to the depth, whatever the size of the tree. (G. Oliaro et al.,
/// "SuffixDecoding", arXiv 2411.04975, section 3.)
struct SuffixTree {
    /// A place in the tree: `length` tokens into the edge that leads to `node`.
    struct Place {
        var node: Int
        var length: Int
    }

    private struct Node {
        /// The edge that leads here: `length` tokens of the tree's text from `start` on.
        var start: Int
        var length: Int
        /// Occurrences of the sequence.
        var count: Int
        var parent: Int
        var firstChild = -1
        var nextSibling = -1
        var previousSibling = -1
    }

    private struct Edge: Hashable {
        let parent: Int
        let token: Int32
    }

    /// The number of the root, which stands for the empty sequence.
    static let root = 0

    /// Most tokens of a sequence that is counted.
    let depth: Int
    /// The tokens of all texts, one after the other.
    private(set) var text: [Int32] = []
    private var nodes = [Node(start: 0, length: 0, count: 0, parent: -1)]
    private var free: [Int] = []
    private var children: [Edge: Int] = [:]
    /// The nodes that stand for the last tokens of the current text: the longest such sequence first, each ends where
    /// an edge does.
    private(set) var active: [Int] = []

    /// An empty tree.
    init(depth: Int) { self.depth = max(1, depth) }

    /// Begins a further text.
    mutating func beginText() { active.removeAll(keepingCapacity: true) }

    /// Adds a token to the current text.
    mutating func append(_ token: Int32) {
        let position = text.count
        text.append(token)
        active.append(Self.root)
        // The longest first: it leaves the node that a shorter one may come to.
        for index in active.indices { active[index] = extend(active[index], token, position) }
        if active.count == depth { active.removeFirst() }
    }

    /// How often the sequence at `place` occurs.
    func count(_ place: Place) -> Int { nodes[place.node].count }

    /// The tokens left on the edge at `place`.
    func rest(of place: Place) -> ArraySlice<Int32> {
        let node = nodes[place.node]
        return text[node.start + place.length..<node.start + node.length]
    }

    /// The children of a node with the first tokens of their edges, in no special order.
    func forEachChild(of node: Int, _ body: (_ child: Int, _ count: Int) -> Void) {
        var child = nodes[node].firstChild
        while child >= 0 {
            body(child, nodes[child].count)
            child = nodes[child].nextSibling
        }
    }

    /// The place one `token` further on, if the tree has it.
    func advance(_ place: Place, by token: Int32) -> Place? {
        let node = nodes[place.node]
        if place.length < node.length {
            return text[node.start + place.length] == token ? Place(node: place.node, length: place.length + 1) : nil
        }
        return children[Edge(parent: place.node, token: token)].map { Place(node: $0, length: 1) }
    }

    /// The place at the end of a node's edge.
    func end(of node: Int) -> Place { Place(node: node, length: nodes[node].length) }

    /// Where one more occurrence of a node's sequence leads when `token`, at `position`, follows it.
    private mutating func extend(_ node: Int, _ token: Int32, _ position: Int) -> Int {
        guard let child = children[Edge(parent: node, token: token)] else {
            let isOwnLeaf = node != Self.root && nodes[node].count == 1 && nodes[node].firstChild < 0
            if isOwnLeaf {
                nodes[node].length += 1
                return node
            }
            return addChild(to: node, Node(start: position, length: 1, count: 1, parent: node))
        }
        // Every occurrence but the new one goes on that way already: the border between the edges moves by a token.
        if node != Self.root, nodes[node].count == nodes[child].count + 1 {
            return moveBorder(node, child)
        }
        if nodes[child].length == 1 {
            nodes[child].count += 1
            return child
        }
        return split(child)
    }

    private mutating func addChild(to parent: Int, _ node: Node) -> Int {
        let number: Int
        if let reused = free.popLast() {
            number = reused
            nodes[number] = node
        } else {
            number = nodes.count
            nodes.append(node)
        }
        link(number, to: parent)
        return number
    }

    /// Lets `node` take the first token of its only child's edge. An edge that becomes empty makes the two nodes one.
    private mutating func moveBorder(_ node: Int, _ child: Int) -> Int {
        let start = nodes[child].start
        let length = nodes[node].length
        if nodes[child].length == 1 {
            unlink(child)
            let parent = nodes[node].parent
            unlink(node)
            nodes[child].start = start - length
            nodes[child].length = length + 1
            nodes[child].count += 1
            link(child, to: parent)
            free.append(node)
            return child
        }
        unlink(child)
        nodes[node].start = start - length
        nodes[node].length = length + 1
        nodes[child].start = start + 1
        nodes[child].length -= 1
        link(child, to: node)
        return node
    }

    /// Cuts the first token off the edge to `child`, for a node of its own with one occurrence more.
    private mutating func split(_ child: Int) -> Int {
        let parent = nodes[child].parent
        let start = nodes[child].start
        unlink(child)
        let upper = addChild(
            to: parent, Node(start: start, length: 1, count: nodes[child].count + 1, parent: parent))
        nodes[child].start += 1
        nodes[child].length -= 1
        link(child, to: upper)
        return upper
    }

    private mutating func link(_ node: Int, to parent: Int) {
        let first = nodes[parent].firstChild
        nodes[node].parent = parent
        nodes[node].nextSibling = first
        nodes[node].previousSibling = -1
        if first >= 0 { nodes[first].previousSibling = node }
        nodes[parent].firstChild = node
        children[Edge(parent: parent, token: text[nodes[node].start])] = node
    }

    private mutating func unlink(_ node: Int) {
        let parent = nodes[node].parent
        let next = nodes[node].nextSibling
        let previous = nodes[node].previousSibling
        if next >= 0 { nodes[next].previousSibling = previous }
        if previous >= 0 { nodes[previous].nextSibling = next } else { nodes[parent].firstChild = next }
        children[Edge(parent: parent, token: text[nodes[node].start])] = nil
    }
}
