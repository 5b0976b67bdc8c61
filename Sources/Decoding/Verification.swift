// What a step of the model made of a draft.

package import InferTensors

/// The outcome of one step: which tokens joined the text, and what the model thought of the guesses.
public struct Verification: Sendable {
    /// A token the model considered.
    public struct Candidate: Sendable, Hashable {
        /// The token.
        public let token: Int32
        /// The model's own logit, before sampling options act on it.
        public let logit: Float

        /// A candidate.
        public init(token: Int32, logit: Float) {
            self.token = token
            self.logit = logit
        }

        /// The same candidate, found in a row of logits.
        package init(_ candidate: InferTensors.Candidate) { self.init(token: candidate.token, logit: candidate.logit) }
    }

    /// The draft as it was made, including guesses that were not checked. Empty when there was none.
    public let tree: DraftTree
    /// The nodes that went through the model, in ascending order.
    public let checked: [Int]
    /// The tokens that joined the text, at least one: first those of ``accepted``, then at most one that was not drafted, or not
    /// checked.
    public let tokens: [Int32]
    /// The checked nodes that proved right, from the first guess downwards.
    public let accepted: [Int]
    /// The candidates after the text as it was and then after each of `checked`; empty unless they were wanted.
    let candidateRows: [[Candidate]]

    /// The outcome of a step.
    ///
    /// - Parameters:
    ///   - tree: The draft as it was made.
    ///   - checked: The nodes that went through the model, in ascending order.
    ///   - tokens: The tokens that joined the text.
    ///   - candidateRows: The candidates after the text as it was, and after each of `checked`.
    public init(
        tree: DraftTree = DraftTree(), checked: [Int] = [], tokens: [Int32], candidateRows: [[Candidate]] = []
    ) {
        self.tree = tree
        self.checked = checked
        self.tokens = tokens
        self.candidateRows = candidateRows
        var accepted: [Int] = []
        var node = DraftTree.root
        var rest = checked[...]
        for token in tokens {
            guard let child = tree.child(token, of: node), let place = rest.firstIndex(of: child) else { break }
            rest = rest[(place + 1)...]
            accepted.append(child)
            node = child
        }
        self.accepted = accepted
    }

    /// The model's likeliest tokens after `node`, likeliest first, as many as the drafter wanted; after ``DraftTree/root``,
    /// those from which the first of ``tokens`` was chosen. Empty for a node that was not checked.
    public func candidates(after node: Int) -> [Candidate] {
        let row = node < 0 ? 0 : checked.firstIndex(of: node).map { $0 + 1 }
        guard let row, candidateRows.indices.contains(row) else { return [] }
        return candidateRows[row]
    }

    /// The nodes whose parent proved right, so that it is known whether they did: checked or not, each with the verdict.
    public var verdicts: [(node: Int, isRight: Bool)] {
        var verdicts: [(node: Int, isRight: Bool)] = []
        var node = DraftTree.root
        for token in tokens {
            var next: Int?
            for child in tree.children(of: node) {
                let isRight = tree.tokens[child] == token
                verdicts.append((child, isRight))
                if isRight { next = child }
            }
            guard let next else { break }
            node = next
        }
        return verdicts
    }
}
