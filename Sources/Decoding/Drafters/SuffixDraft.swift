// A draft from a suffix tree, and the two ways to make one.

/// Nodes with their probabilities as a suffix tree's counts give them.
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
    /// Whether anything has followed the sequence at `place`.
    func hasContinuation(_ place: Place) -> Bool {
        if !rest(of: place).isEmpty { return true }
        var hasChild = false
        forEachChild(of: place.node) { _, _ in hasChild = true }
        return hasChild
    }

    /// The chain of each time most frequent tokens below `place`.
    func likeliestChain(at place: Place, size: Int, leastProbability: Float) -> SuffixDraft {
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

    /// The likeliest nodes below `place`, by the product of the counts' quotients.
    func likeliestTree(at place: Place, size: Int, leastProbability: Float) -> SuffixDraft {
        struct Branch {
            let place: Place
            let parent: Int
            let probability: Float
        }
        var draft = SuffixDraft()
        var open = [Branch(place: place, parent: DraftTree.root, probability: 1)]
        while draft.count < size {
            // Few are ever open: each has at least the least probability, and siblings share their parent's.
            guard let next = open.indices.max(by: { open[$0].probability < open[$1].probability }) else { break }
            let branch = open.remove(at: next)
            var parent = branch.parent
            // All of an edge is as likely as its first token, so that nothing open comes before the rest of it.
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
