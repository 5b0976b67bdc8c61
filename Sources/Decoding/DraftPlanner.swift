// The choice, step by step, of what to draft and which nodes to check, for one sequence or for all sequences of a step.

package import InferGrammar
import InferTensors

/// A draft, ready to go through the model.
package struct Draft: Sendable {
    /// All nodes, as the drafter proposed them.
    package let tree: DraftTree
    /// The nodes to check, in ascending order.
    package let checked: [Int]
    /// The tree of `checked` alone: its node i is node `checked[i]`.
    package let offered: DraftTree

    /// A draft of which `checked` go through the model.
    package init(tree: DraftTree, checked: [Int]) {
        self.tree = tree
        self.checked = checked
        offered = tree.restricted(to: checked)
    }

    /// An empty draft.
    package init() { self.init(tree: DraftTree(), checked: []) }
}

/// What the nodes of a draft must follow, because nothing else is chosen.
package struct DraftConstraint {
    /// What the grammar allows after the text; nil if it allows anything.
    package var grammar: GrammarState?
    /// What changes the logits.
    package var processors = LogitProcessors()
    /// The text, for the processors.
    package var tokens: [Int32] = []

    /// Anything is allowed, or what these allow.
    package init(
        grammar: GrammarState? = nil, processors: LogitProcessors = LogitProcessors(), tokens: [Int32] = []
    ) {
        (self.grammar, self.processors, self.tokens) = (grammar, processors, tokens)
    }

    /// Excludes the nodes of `tree` that are not allowed along their paths.
    func restrict(_ isPossible: inout [Bool], _ tree: DraftTree) {
        if grammar != nil {
            var states: [GrammarState?] = []
            states.reserveCapacity(tree.count)
            for node in tree.nodes {
                let parent = Int(tree.parents[node])
                var state = isPossible[node] ? parent < 0 ? grammar : states[parent] : nil
                if !(state?.accept(tree.tokens[node]) ?? false) { (state, isPossible[node]) = (nil, false) }
                states.append(state)
            }
        }
        guard !processors.isEmpty else { return }
        var path = tokens
        for node in tree.nodes where isPossible[node] {
            let parent = Int(tree.parents[node])
            path.removeSubrange(tokens.count...)
            if parent >= 0 { path += tree.path(to: parent) }
            isPossible[node] =
                (parent < 0 || isPossible[parent]) && processors.allow(tree.tokens[node], after: path)
        }
    }
}

/// What a drafter proposes for the next step of one sequence, before it is known how many nodes are checked.
package struct DraftProposal {
    fileprivate var tree = DraftTree()
    /// By node.
    fileprivate var values: [Float] = []
    /// The nodes that can be checked, most valuable first, each after its parent.
    fileprivate var ranking: [Int] = []
    /// The number of nodes to check, if it does not depend on the cost.
    fileprivate var fixedCount: Int?
    /// Set if ``RetrievalTiming`` learns from the draft: the class of the last token, and the seconds that asking took.
    fileprivate var learning: (tokenClass: UInt8, seconds: Double)?

    /// A proposal of nothing.
    package init() {}
}

/// The number of nodes of each proposal that a step checks.
///
/// C(n) is the time of a step of n rows. With B sequences, E = B + Σ value is the expected number of tokens of a step that checks
/// the most valuable nodes of all proposals. The selection takes the number of nodes with the largest E / C, none included. It looks
/// at the whole curve, because kernels make it jump. Nodes of all sequences compete for the same rows.
package struct DraftSelection {
    /// The part of one proposal: the number of nodes, and the seconds that they should save.
    package struct Share: Sendable {
        fileprivate(set) var count = 0
        fileprivate(set) var saving = 0.0
    }

    /// By proposal.
    package private(set) var shares: [Share]

    /// A draft must promise this factor of plain decoding's tokens per second: estimates have errors.
    private static let margin = 1.01

    /// The best selection among `proposals`, one per sequence of the step.
    package init(_ proposals: [DraftProposal], cost: StepCost) {
        shares = Array(repeating: Share(), count: proposals.count)
        var rows = proposals.count
        var expected = Double(rows)
        for (index, proposal) in proposals.enumerated() {
            guard let count = proposal.fixedCount else { continue }
            shares[index].count = count
            rows += count
            expected += proposal.ranking.prefix(count).reduce(0) { $0 + Double(proposal.values[$1]) }
        }
        guard cost.isKnown, proposals.contains(where: { $0.fixedCount == nil && !$0.ranking.isEmpty }) else { return }

        let start = (seconds: cost.seconds(rows: rows), expected: expected)
        var counts = shares.map(\.count)
        var added = 0
        var best = (added: 0, rate: Self.margin * expected / start.seconds, counts: counts)
        while rows + added < cost.maximumRows, let next = Self.mostValuable(proposals, after: counts) {
            let proposal = proposals[next]
            expected += Double(proposal.values[proposal.ranking[counts[next]]])
            counts[next] += 1
            added += 1
            let rate = expected / cost.seconds(rows: rows + added)
            if rate > best.rate { best = (added, rate, counts) }
        }
        guard best.added > 0 else { return }
        let tokenTime = start.seconds / start.expected
        let rowTime = (cost.seconds(rows: rows + best.added) - start.seconds) / Double(best.added)
        for (index, proposal) in proposals.enumerated() where proposal.fixedCount == nil {
            let nodes = proposal.ranking.prefix(best.counts[index])
            let value = nodes.reduce(0) { $0 + Double(proposal.values[$1]) }
            shares[index] = Share(count: nodes.count, saving: value * tokenTime - Double(nodes.count) * rowTime)
        }
    }

    /// The proposal whose next node has the largest value; the first of several.
    private static func mostValuable(_ proposals: [DraftProposal], after counts: [Int]) -> Int? {
        var best: (index: Int, value: Float)?
        for (index, proposal) in proposals.enumerated() where proposal.fixedCount == nil {
            guard counts[index] < proposal.ranking.count else { continue }
            let value = proposal.values[proposal.ranking[counts[index]]]
            if best == nil || value > (best?.value ?? 0) { best = (index, value) }
        }
        return best?.index
    }
}

/// How many nodes of a draft go through the model.
package enum DraftWidth: Sendable, Hashable {
    /// As many as pay, by their values and the step cost.
    case automatic
    /// As many as pay; the drafter is asked before every step, even if that does not pay.
    case eager
    /// This number, or all if there are fewer: the most valuable ones.
    case fixed(Int)
}

/// Asks a drafter for drafts and learns what they are worth.
///
/// ``DraftSelection`` takes the nodes that are worth their time. If asking the drafter costs more than it brings, the planner asks
/// seldom (``RetrievalTiming``).
package final class DraftPlanner {
    /// The limits of a step.
    package struct Bounds: Sendable {
        /// The maximum number of nodes.
        package var nodes: Int
        /// The maximum number of nodes on a path.
        package var depth: Int
        /// The number of tokens in the vocabulary.
        package var tokenCount: Int

        /// Limits of these sizes.
        package init(nodes: Int, depth: Int, tokenCount: Int) {
            self.nodes = nodes
            self.depth = depth
            self.tokenCount = tokenCount
        }
    }

    /// The maximum number of rows of a step, including the last token's.
    package static let maximumRows = 64
    /// The drafter.
    package let drafter: any Drafter
    /// The step cost.
    package var cost: StepCost
    /// Time spent in the drafter and in choosing among its nodes.
    package private(set) var retrievalDuration = Duration.zero
    /// Nil for drafters that correct their values themselves.
    private var calibration: ValueCalibration?
    private var timing = RetrievalTiming()
    private let tokenClass: (Int32) -> UInt8
    private var lastToken: Int32 = -1

    /// A planner for `drafter` that starts with the given step cost.
    ///
    /// - Parameter tokenClass: The class of a token as a number: drafts are worth more after some classes than after others.
    package init(
        _ drafter: any Drafter, cost: StepCost = StepCost(maximumRows: maximumRows),
        tokenClass: @escaping (Int32) -> UInt8 = { _ in 0 }
    ) {
        self.drafter = drafter
        self.tokenClass = tokenClass
        self.cost = cost
        calibration = drafter.isCalibrated ? nil : ValueCalibration()
    }

    /// Takes `tokens` as the text from now on.
    package func reset(to tokens: [Int32]) {
        lastToken = tokens.last ?? -1
        timed { drafter.reset(to: tokens) }
    }

    /// A draft for the next step, if this is its only sequence.
    package func draft(
        _ bounds: Bounds, width: DraftWidth, constraint: DraftConstraint = DraftConstraint()
    ) -> Draft {
        let proposal = propose(bounds, width: width, constraint: constraint)
        let selection = timed { DraftSelection([proposal], cost: cost) }
        return draft(proposal, selection.shares[0])
    }

    /// Asks the drafter, if that is worth its time. ``cost`` must be the cost of the steps to come.
    ///
    /// - Parameter constraint: What nodes must follow. Others are never checked.
    package func propose(
        _ bounds: Bounds, width: DraftWidth, constraint: DraftConstraint = DraftConstraint()
    ) -> DraftProposal {
        var proposal = DraftProposal()
        guard bounds.nodes > 0, bounds.depth > 0 else { return proposal }
        let before = retrievalDuration
        switch width {
        case .fixed(let count):
            // The best ones by the drafter's own values.
            timed { ask(bounds, &proposal, constraint, calibration: nil) }
            proposal.fixedCount = min(count, proposal.ranking.count)
        case .automatic, .eager:
            // The first step is plain, so that its cost is known.
            guard cost.isKnown else { break }
            let lastClass = tokenClass(lastToken)
            guard width == .eager || timing.isTime(after: lastClass) else { break }
            timed { ask(bounds, &proposal, constraint, calibration: calibration) }
            proposal.learning = (lastClass, (retrievalDuration - before) / .seconds(1))
        }
        return proposal
    }

    /// The draft of `proposal` that a selection has chosen.
    package func draft(_ proposal: DraftProposal, _ share: DraftSelection.Share) -> Draft {
        if let (lastClass, seconds) = proposal.learning {
            timing.learn(lastClass, saving: share.saving - seconds, plain: cost.seconds(rows: 1))
        }
        return Draft(tree: proposal.tree, checked: proposal.ranking.prefix(share.count).sorted())
    }

    /// Learns that a step of `rows` rows took `duration`.
    package func stepTook(_ duration: Duration, rows: Int) { cost.observe(rows: rows, seconds: duration / .seconds(1)) }

    /// Learns that a step of a prompt took `duration`.
    package func promptTook(_ duration: Duration, rows: Int) {
        cost.observePrompt(rows: rows, seconds: duration / .seconds(1))
    }

    /// Learns the outcome of the last draft.
    package func observe(_ outcome: DraftOutcome) {
        lastToken = outcome.tokens.last ?? lastToken
        timed {
            calibration?.observe(outcome)
            drafter.observe(outcome)
        }
    }

    private func ask(
        _ bounds: Bounds, _ proposal: inout DraftProposal, _ constraint: DraftConstraint, calibration: ValueCalibration?
    ) {
        var tree = DraftTree(capacity: bounds.nodes)
        drafter.draft(into: &tree, limit: bounds.nodes)
        proposal.values = calibration?.values(of: tree) ?? tree.values
        proposal.tree = tree
        proposal.ranking = Array(ranking(tree, proposal.values, bounds, constraint).prefix(bounds.nodes))
    }

    /// The nodes that can be checked, most valuable first, each after its parent.
    private func ranking(
        _ tree: DraftTree, _ values: [Float], _ bounds: Bounds, _ constraint: DraftConstraint
    ) -> [Int] {
        let tokens: Range<Int32> = 0..<Int32(clamping: bounds.tokenCount)
        var isPossible: [Bool] = []
        isPossible.reserveCapacity(tree.count)
        for node in tree.nodes {
            let parent = Int(tree.parents[node])
            isPossible.append(
                (parent < 0 || isPossible[parent]) && tokens.contains(tree.tokens[node])
                    && tree.depths[node] < bounds.depth)
        }
        constraint.restrict(&isPossible, tree)
        return tree.nodes.filter { isPossible[$0] }.sorted { (values[$1], $0) < (values[$0], $1) }
    }

    private func timed<R>(_ work: () -> R) -> R {
        let start = ContinuousClock.now
        defer { retrievalDuration += ContinuousClock.now - start }
        return work()
    }
}
