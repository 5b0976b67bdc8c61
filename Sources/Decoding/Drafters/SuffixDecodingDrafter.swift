// Suffix decoding: drafts by the counts of two suffix trees.
//
// Rule: G. Oliaro et al., "SuffixDecoding: Extreme Speculative Decoding for Emerging AI Applications" (arXiv
// 2411.04975), section 3, with the defaults of its public implementation (snowflakedb/ArcticInference,
// csrc/suffix_decoding). One tree holds the running prompt and answer, the other all earlier answers; both are 64 tokens
// deep. For every length p at which the last p tokens occur in a tree, up to p (times a factor, here 1) tokens below them
// form a draft: the most probable ones by the product of the counts' quotients, none below a probability of 0.1. Of the
// drafts of both trees, the one with the largest sum of probabilities is taken, and among equals that of the longer match.
// A draft is a tree or, as in that implementation's production use, the most frequent chain.

/// Drafts by frequency from the text so far and from earlier answers.
public final class SuffixDecodingDrafter: Drafter {
    /// The shape of a draft.
    public enum Shape: Sendable {
        /// The most probable nodes.
        case tree
        /// The most frequent token at each step.
        case chain
    }

    /// A short name for reports.
    public let name: String

    private let shape: Shape
    private let factor: Float
    private let leastProbability: Float
    private let maximumHistory: Int
    /// The running prompt and answer.
    private var local: SuffixTree
    /// Earlier answers.
    private var global: SuffixTree
    /// The answers in `global`. It is rebuilt from the newer ones when it is full.
    private var history: [[Int32]] = []
    private var historyCount = 0
    /// The places of the last tokens in `global`, the longest match first.
    private var places: [SuffixTree.Place] = []
    private var answer: [Int32] = []

    /// A drafter whose drafts have at most `factor` tokens per matched token and no token less likely than
    /// `leastProbability`, and that remembers about `maximumHistory` tokens of earlier answers.
    public init(
        shape: Shape = .tree, factor: Float = 1, leastProbability: Float = 0.1, depth: Int = 64,
        maximumHistory: Int = 1 << 20
    ) {
        name = shape == .tree ? "suffix" : "suffix-chain"
        self.shape = shape
        self.factor = factor
        self.leastProbability = leastProbability
        self.maximumHistory = maximumHistory
        local = SuffixTree(depth: depth)
        global = SuffixTree(depth: depth)
    }

    /// Replaces the text by `tokens`.
    public func reset(to tokens: [Int32]) {
        remember(answer)
        answer.removeAll()
        local = SuffixTree(depth: local.depth)
        local.beginText()
        places.removeAll()
        for token in tokens { follow(token) }
    }

    /// Learns how the text went on.
    public func observe(_ outcome: DraftOutcome) {
        for token in outcome.tokens { follow(token) }
        answer += outcome.tokens
    }

    /// Proposes continuations of the text.
    public func draft(into tree: inout DraftTree, limit: Int) {
        var best: SuffixDraft?
        var bestTag: UInt16 = 0
        func consider(_ source: SuffixTree, _ place: SuffixTree.Place, length: Int, tag: UInt16) {
            let size = min(limit, Int(factor * Float(length) + 0.000_001))
            guard size > 0, source.hasContinuation(place) else { return }
            let draft =
                switch shape {
                case .tree: source.mostProbableTree(at: place, size: size, leastProbability: leastProbability)
                case .chain: source.mostProbableChain(at: place, size: size, leastProbability: leastProbability)
                }
            if draft.score > (best?.score ?? 0) {
                best = draft
                bestTag = tag
            }
        }
        // From the longest match down: of equal drafts, that of the longer match is kept.
        for (index, node) in local.active.enumerated() {
            let length = local.active.count - index
            consider(local, local.end(of: node), length: length, tag: UInt16(clamping: length))
        }
        for (index, place) in places.enumerated() {
            let length = places.count - index
            consider(global, place, length: length, tag: 256 + UInt16(clamping: length))
        }
        best?.insert(into: &tree, tag: bestTag)
    }

    private func follow(_ token: Int32) {
        local.append(token)
        places.append(SuffixTree.Place(node: SuffixTree.root, length: 0))
        places = places.compactMap { global.advance($0, by: token) }
        if places.count >= global.depth { places.removeFirst(places.count - global.depth + 1) }
    }

    private func remember(_ answer: [Int32]) {
        guard !answer.isEmpty else { return }
        history.append(answer)
        historyCount += answer.count
        guard historyCount > maximumHistory else {
            global.append(text: answer)
            return
        }
        // Forgets the older half.
        while historyCount > maximumHistory / 2, history.count > 1 { historyCount -= history.removeFirst().count }
        global = SuffixTree(depth: global.depth)
        for answer in history { global.append(text: answer) }
    }
}

/// A compressed suffix tree over several texts that grow token by token.
///
/// Each node stands for a sequence of at most ``depth`` tokens and counts its occurrences. Along an edge the count is constant.
/// To append a token takes time proportional to the depth and independent of the tree's size. (G. Oliaro et al.,
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

    /// The maximum length of a counted sequence, in tokens.
    let depth: Int
    /// The tokens of all texts, one after the other.
    private(set) var text: [Int32] = []
    private var nodes = [Node(start: 0, length: 0, count: 0, parent: -1)]
    private var free: [Int] = []
    private var children: [Edge: Int] = [:]
    /// The nodes of the current text's last tokens, the longest sequence first. Each sequence ends at the end of an edge.
    private(set) var active: [Int] = []

    /// An empty tree.
    init(depth: Int) { self.depth = max(1, depth) }

    /// Begins another text.
    mutating func beginText() { active.removeAll(keepingCapacity: true) }

    /// Adds a token to the current text.
    mutating func append(_ token: Int32) {
        let position = text.count
        text.append(token)
        active.append(Self.root)
        // The longest first: it leaves the node that a shorter sequence may reach.
        for index in active.indices { active[index] = extend(active[index], token, position) }
        if active.count == depth { active.removeFirst() }
    }

    /// The number of occurrences of the sequence at `place`.
    func count(_ place: Place) -> Int { nodes[place.node].count }

    /// The tokens left on the edge at `place`.
    func rest(of place: Place) -> ArraySlice<Int32> {
        let node = nodes[place.node]
        return text[node.start + place.length..<node.start + node.length]
    }

    /// The children of a node with their counts, in no special order.
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

    /// Records one more occurrence of a node's sequence, followed by `token` at `position`, and returns the node of the longer one.
    private mutating func extend(_ node: Int, _ token: Int32, _ position: Int) -> Int {
        guard let child = children[Edge(parent: node, token: token)] else {
            let isOwnLeaf = node != Self.root && nodes[node].count == 1 && nodes[node].firstChild < 0
            if isOwnLeaf {
                nodes[node].length += 1
                return node
            }
            return addChild(to: node, Node(start: position, length: 1, count: 1, parent: node))
        }
        // All earlier occurrences continue with this token too, so the border between the two edges moves by a token.
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

    /// Moves the first token of the only child's edge to the edge of `node`. If the child's edge becomes empty, merges the two
    /// nodes.
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

    /// Splits the edge to `child` after its first token. The new node has one more occurrence.
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

/// Nodes with their probabilities by the counts of a suffix tree.
struct SuffixDraft {
    private var tokens: [Int32] = []
    private var parents: [Int] = []
    private var probabilities: [Float] = []
    /// The sum of the probabilities: the number of tokens that are expected to be accepted.
    private(set) var score: Float = 0

    /// The number of nodes.
    var count: Int { tokens.count }

    /// Adds a node and returns its number.
    mutating func append(_ token: Int32, after parent: Int, probability: Float) -> Int {
        tokens.append(token)
        parents.append(parent)
        probabilities.append(probability)
        score += probability
        return tokens.count - 1
    }

    /// Copies the nodes to a draft tree.
    func insert(into tree: inout DraftTree, tag: UInt16) {
        var numbers: [Int] = []
        for index in tokens.indices {
            let parent = parents[index] < 0 ? DraftTree.root : numbers[parents[index]]
            numbers.append(tree.insert(tokens[index], after: parent, value: probabilities[index], tag: tag))
        }
    }
}

extension SuffixTree {
    /// Whether any token has followed the sequence at `place`.
    func hasContinuation(_ place: Place) -> Bool {
        if !rest(of: place).isEmpty { return true }
        var hasChild = false
        forEachChild(of: place.node) { _, _ in hasChild = true }
        return hasChild
    }

    /// The chain of the most frequent tokens below `place`.
    func mostProbableChain(at place: Place, size: Int, leastProbability: Float) -> SuffixDraft {
        var draft = SuffixDraft()
        var place = place
        var parent = DraftTree.root
        var probability: Float = 1
        while draft.count < size {
            for token in rest(of: place).prefix(size - draft.count) {
                parent = draft.append(token, after: parent, probability: probability)
            }
            var best = (node: -1, count: 0)
            forEachChild(of: place.node) { if $1 > best.count { best = ($0, $1) } }
            guard best.count > 0 else { break }
            probability *= Float(best.count) / Float(count(place))
            guard probability >= leastProbability else { break }
            place = Place(node: best.node, length: 0)
        }
        return draft
    }

    /// The most probable nodes below `place`, by the product of the counts' quotients.
    func mostProbableTree(at place: Place, size: Int, leastProbability: Float) -> SuffixDraft {
        struct Branch {
            let place: Place
            let parent: Int
            let probability: Float
        }
        var draft = SuffixDraft()
        var open = [Branch(place: place, parent: DraftTree.root, probability: 1)]
        while draft.count < size {
            // `open` stays short: each branch has at least `leastProbability`, and siblings share their parent's probability.
            guard let next = open.indices.max(by: { open[$0].probability < open[$1].probability }) else { break }
            let branch = open.remove(at: next)
            var parent = branch.parent
            // All tokens of an edge have the probability of its first token, so they come before any other open branch.
            for token in rest(of: branch.place).prefix(size - draft.count) {
                parent = draft.append(token, after: parent, probability: branch.probability)
            }
            let total = Float(count(branch.place))
            forEachChild(of: branch.place.node) { child, count in
                let probability = branch.probability * Float(count) / total
                guard probability >= leastProbability else { return }
                open.append(Branch(place: Place(node: child, length: 0), parent: parent, probability: probability))
            }
        }
        return draft
    }

    /// Adds a whole text.
    mutating func append(text: [Int32]) {
        beginText()
        for token in text { append(token) }
    }
}
