// The choice, step by step, of what to draft and which nodes to check.

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

/// How many nodes of a draft go through the model.
package enum DraftWidth: Sendable, Hashable {
    /// As many as pay, by their values and the step cost.
    case automatic
    /// As many as pay; the drafter is asked before every step, even if that does not pay.
    case eager
    /// This number, or all if there are fewer: the most valuable ones.
    case fixed(Int)
}

/// Asks a drafter for a draft and selects the nodes that are worth their time.
///
/// C(n) is the time of a step of n rows. E(n) = 1 + Σ value is the expected number of tokens if the n − 1 most valuable nodes are
/// checked. The planner takes the n with the largest E(n) / C(n), n = 1 included. It looks at the whole curve, because kernels
/// make it jump. If asking the drafter costs more than it brings, the planner asks seldom (``RetrievalTiming``).
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
    /// A draft must promise this factor of plain decoding's tokens per second: estimates have errors.
    private static let margin = 1.01

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

    /// A draft for the next step.
    package func draft(_ bounds: Bounds, width: DraftWidth) -> Draft {
        guard bounds.nodes > 0, bounds.depth > 0 else { return Draft() }
        switch width {
        case .fixed(let count):
            return timed {
                let tree = ask(bounds)
                let ranking = ranking(tree, tree.values, bounds)
                return Draft(tree: tree, checked: ranking.prefix(min(count, bounds.nodes)).sorted())
            }
        case .automatic, .eager:
            // The first step is plain, so that its cost is known.
            guard cost.isKnown else { return Draft() }
            let lastClass = tokenClass(lastToken)
            guard width == .eager || timing.isTime(after: lastClass) else { return Draft() }
            let before = retrievalDuration
            let (draft, saving) = timed { worthwhileDraft(bounds) }
            timing.learn(
                lastClass, saving: saving - (retrievalDuration - before) / .seconds(1), plain: cost.seconds(rows: 1))
            return draft
        }
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

    private func ask(_ bounds: Bounds) -> DraftTree {
        var tree = DraftTree(capacity: bounds.nodes)
        drafter.draft(into: &tree, limit: bounds.nodes)
        return tree
    }

    /// The draft with the largest gain in tokens per second, and the seconds it should save.
    private func worthwhileDraft(_ bounds: Bounds) -> (Draft, saving: Double) {
        let tree = ask(bounds)
        let values = calibration?.values(of: tree) ?? tree.values
        let ranking = ranking(tree, values, bounds)
        let plain = cost.seconds(rows: 1)
        var best = (count: 0, rate: Self.margin / plain, saving: 0.0)
        var expected = 1.0
        for (index, node) in ranking.prefix(bounds.nodes).enumerated() {
            expected += Double(values[node])
            let seconds = cost.seconds(rows: index + 2)
            if expected / seconds > best.rate {
                best = (index + 1, expected / seconds, expected * plain - seconds)
            }
        }
        return (Draft(tree: tree, checked: ranking.prefix(best.count).sorted()), best.saving)
    }

    /// The nodes that can be checked, most valuable first, each after its parent.
    private func ranking(_ tree: DraftTree, _ values: [Float], _ bounds: Bounds) -> [Int] {
        let tokens: Range<Int32> = 0..<Int32(clamping: bounds.tokenCount)
        var isPossible: [Bool] = []
        isPossible.reserveCapacity(tree.count)
        for node in tree.nodes {
            let parent = Int(tree.parents[node])
            isPossible.append(
                (parent < 0 || isPossible[parent]) && tokens.contains(tree.tokens[node])
                    && tree.depths[node] < bounds.depth)
        }
        return tree.nodes.filter { isPossible[$0] }.sorted { (values[$1], $0) < (values[$0], $1) }
    }

    private func timed<R>(_ work: () -> R) -> R {
        let start = ContinuousClock.now
        defer { retrievalDuration += ContinuousClock.now - start }
        return work()
    }
}
