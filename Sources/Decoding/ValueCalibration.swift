// The calibration of a drafter's values by the outcomes of its drafts.

/// Corrects the values of drafts.
///
/// A node's conditional value is the estimated probability that it is accepted if its parent is. Nodes are grouped by tag, depth
/// and conditional value. Each group has two sums over the nodes whose parent was accepted: how many were accepted, and how many
/// should have been by their values. Their quotient multiplies later conditional values of the group. It is shrunk towards the
/// quotient of all groups with the tag, which is shrunk towards that of all tags. A factor keeps the drafter's order among the
/// nodes of a group; replacing their values by a rate would not.
package struct ValueCalibration: Sendable {
    private struct Tally {
        var right: Float = 0
        var predicted: Float = 0

        mutating func add(_ isRight: Bool, _ value: Float) {
            right += isRight ? 1 : 0
            predicted += value
            // Old outcomes fade, so that the correction adapts to other texts.
            if predicted > 200 {
                right /= 2
                predicted /= 2
            }
        }

        /// The correction; `prior` has the weight of four predicted successes.
        func factor(_ prior: Float) -> Float { min((right + 4 * prior) / (predicted + 4), 3) }
    }

    private var overall = Tally()
    private var byTag: [UInt16: Tally] = [:]
    private var byGroup: [UInt32: Tally] = [:]

    /// A calibration that leaves every value as it is at first.
    package init() {}

    /// The corrected values of all nodes of `tree`, none above its parent's.
    package func values(of tree: DraftTree) -> [Float] {
        let base = overall.factor(1)
        var values: [Float] = []
        values.reserveCapacity(tree.count)
        for node in tree.nodes {
            let conditional = tree.conditionalValue(node)
            let tag = byTag[tree.tags[node]]?.factor(base) ?? base
            let factor = byGroup[tree.group(of: node, conditional)]?.factor(tag) ?? tag
            let parent = Int(tree.parents[node])
            values.append(min(conditional * factor, 1) * (parent < 0 ? 1 : values[parent]))
        }
        return values
    }

    /// Learns from the outcome of a draft.
    package mutating func observe(_ outcome: DraftOutcome) {
        let tree = outcome.tree
        for (node, isRight) in outcome.verdicts {
            let conditional = tree.conditionalValue(node)
            overall.add(isRight, conditional)
            byTag[tree.tags[node], default: Tally()].add(isRight, conditional)
            byGroup[tree.group(of: node, conditional), default: Tally()].add(isRight, conditional)
        }
    }
}

extension DraftTree {
    /// The estimated probability that `node` is right if its parent is.
    fileprivate func conditionalValue(_ node: Int) -> Float {
        let parent = Int(parents[node])
        guard parent >= 0 else { return values[node] }
        return values[parent] > 0 ? values[node] / values[parent] : 0
    }

    /// The group of `node`: its tag, its depth (0, 1, 2–3, 4–7 or more), and the odds of its conditional value by powers of two.
    fileprivate func group(of node: Int, _ conditional: Float) -> UInt32 {
        let depthClass = min(Int32.bitWidth - depths[node].leadingZeroBitCount, 4)
        let odds = min(max(conditional / max(1 - conditional, 0.001), 0.001), 1000)
        return UInt32(tags[node]) << 16 | UInt32(depthClass) << 8 | UInt32(odds.exponent + 16)
    }
}
