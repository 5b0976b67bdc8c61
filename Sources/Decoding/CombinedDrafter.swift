// Several drafters as one.

import InferTensors

/// Merges the drafts of several drafters in one tree.
///
/// If two propose the same node, the higher value counts. Each drafter learns from the outcome of its own nodes.
public final class CombinedDrafter: Drafter {
    /// One drafter's part of the last draft.
    private struct Part {
        var tree = DraftTree()
        /// For each node of `tree`, its node in the common tree.
        var places: [Int] = []
    }

    private let drafters: [any Drafter]
    private var parts: [Part]

    /// A drafter that combines `drafters`.
    public init(_ drafters: [any Drafter]) {
        self.drafters = drafters
        parts = drafters.map { _ in Part() }
    }

    /// The drafters' names, joined by a plus sign.
    public var name: String { drafters.map(\.name).joined(separator: "+") }

    /// The largest number that a drafter wants.
    public var topTokensWanted: Int { drafters.reduce(0) { max($0, $1.topTokensWanted) } }

    /// Passes the text on to every drafter.
    public func reset(to tokens: [Int32]) {
        for drafter in drafters { drafter.reset(to: tokens) }
    }

    /// Merges every drafter's nodes into `tree`.
    public func draft(into tree: inout DraftTree, limit: Int) {
        for (index, drafter) in drafters.enumerated() {
            var own = DraftTree()
            drafter.draft(into: &own, limit: limit)
            var places: [Int] = []
            places.reserveCapacity(own.count)
            for node in own.nodes {
                let parent = own.parents[node] < 0 ? DraftTree.root : places[Int(own.parents[node])]
                places.append(
                    tree.insert(
                        own.tokens[node], after: parent, value: own.values[node],
                        tag: Self.tag(own.tags[node], of: index)))
            }
            parts[index] = Part(tree: own, places: places)
        }
    }

    /// Tells every drafter the outcome of its own nodes.
    public func observe(_ outcome: DraftOutcome) {
        let hasDraft = !outcome.tree.isEmpty
        let checked = Set(outcome.checked)
        for (part, drafter) in zip(parts, drafters) {
            let tree = hasDraft ? part.tree : DraftTree()
            let own = tree.nodes.filter { checked.contains(part.places[$0]) }
            let wanted = drafter.topTokensWanted
            var rows: [[TopToken]] = []
            if wanted > 0 {
                rows = ([DraftTree.root] + own.map { part.places[$0] })
                    .map { Array(outcome.topTokens(after: $0).prefix(wanted)) }
            }
            drafter.observe(
                DraftOutcome(tree: tree, checked: own, tokens: outcome.tokens, topTokenRows: rows))
        }
    }

    /// Keeps the drafters' tags apart: each drafter's tags are shifted by a multiple of a large odd number.
    private static func tag(_ tag: UInt16, of drafter: Int) -> UInt16 {
        tag &+ UInt16(truncatingIfNeeded: drafter &* 9973)
    }
}
