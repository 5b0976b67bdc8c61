// Suffix decoding: continues the text as the counts of two suffix trees say.
//
// Rule: G. Oliaro et al., "SuffixDecoding: Extreme Speculative Decoding for Emerging AI Applications" (arXiv
// 2411.04975), section 3, with the defaults of its public implementation (snowflakedb/ArcticInference,
// csrc/suffix_decoding): one tree of the running prompt and answer, one of all earlier answers, both 64 tokens deep.
// For every length p at which the last p tokens occur in a tree, up to p (times a factor, here 1) tokens are drafted
// below them, likeliest first by the product of the counts' quotients, none below a probability of 0.1; of all these
// drafts, of both trees, the one whose probabilities sum to the most is taken, of equals that of the longer match. A
// draft is a tree or, as in production there, the most frequent chain.

/// Drafts by frequency from the text so far and from earlier answers.
public final class SuffixDecodingDrafter: Drafter {
    /// What a draft looks like.
    public enum Shape: Sendable {
        /// The likeliest nodes.
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
    /// The tokens of `global`'s answers, for building it anew from the newer ones.
    private var history: [[Int32]] = []
    private var historyCount = 0
    /// Where the last tokens stand in `global`, the longest first.
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

    /// Takes `tokens` as the text from now on.
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

    /// Guesses how the text goes on.
    public func draft(into tree: inout DraftTree, limit: Int) {
        var best: SuffixDraft?
        var bestTag: UInt16 = 0
        func consider(_ source: SuffixTree, _ place: SuffixTree.Place, length: Int, tag: UInt16) {
            let size = min(limit, Int(factor * Float(length) + 0.000_001))
            guard size > 0, source.hasContinuation(place) else { return }
            let draft =
                switch shape {
                case .tree: source.likeliestTree(at: place, size: size, leastProbability: leastProbability)
                case .chain: source.likeliestChain(at: place, size: size, leastProbability: leastProbability)
                }
            if draft.score > (best?.score ?? 0) {
                best = draft
                bestTag = tag
            }
        }
        // From the longest match down, so that of equal drafts that of the longer one stays.
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
