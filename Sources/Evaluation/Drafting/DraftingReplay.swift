// Simulation: drafters against a given answer without a model, and the cost of steps read from a file.

import Foundation
import InferDecoding
package import InferSupport
import InferTokenizers

/// Counts the steps that a drafter needs if the model gives a known answer.
struct DraftingReplay {
    /// How many draft tokens a step checks.
    let width: DraftWidth
    /// At index i, the cost of a step of i + 1 rows; nil if steps are only counted.
    let costs: [Double]?

    /// Simulates decoding `answer` after `prompt`, greedily.
    func run(_ planner: DraftPlanner, prompt: [TokenID], answer: [TokenID], tokenCount: Int) -> DraftingRun {
        let isInLoop = TokenLoops.mark(answer)
        let loopStart = isInLoop.firstIndex(of: true) ?? answer.count
        var run = DraftingRun()
        run.loopTokens = isInLoop.dropFirst().count { $0 }
        let start = planner.retrievalDuration
        planner.reset(to: prompt)
        planner.observe(outcome(Draft(), Array(answer.prefix(1))))
        var time = 0.0
        var position = 1
        while position < answer.count {
            let remaining = answer.count - position
            let draft = planner.draft(
                DraftPlanner.Bounds(
                    nodes: DraftPlanner.maximumRows - 1, depth: remaining - 1, tokenCount: tokenCount), width: width)
            let tokens = tokens(draft, answer[position...])
            planner.observe(outcome(draft, tokens))
            position += tokens.count
            run.steps += 1
            run.tokens += tokens.count
            run.drafted += draft.checked.count
            run.accepted += tokens.count - 1
            time += costs?[draft.checked.count] ?? 0
            if position >= loopStart, run.timeBeforeLoop == nil { run.timeBeforeLoop = time }
        }
        run.retrieval = planner.retrievalDuration - start
        if costs == nil { run.timeBeforeLoop = nil } else { run.time = time }
        return run
    }

    /// The tokens of one step: the draft tokens that agree with `answer`, and one more.
    private func tokens(_ draft: Draft, _ answer: ArraySlice<TokenID>) -> [TokenID] {
        var tokens: [TokenID] = []
        var node: Int? = DraftTree.root
        for token in answer {
            guard let parent = node else { break }
            tokens.append(token)
            node = draft.offered.child(token, of: parent)
        }
        return tokens
    }

    /// The outcome of a step. Each row has one top token, the answer's: a simulation has no logits.
    private func outcome(_ draft: Draft, _ tokens: [TokenID]) -> DraftOutcome {
        let outcome = DraftOutcome(tree: draft.tree, checked: draft.checked, tokens: tokens)
        var rows = [[TopToken]](repeating: [], count: draft.checked.count + 1)
        var row = 0
        for (index, token) in tokens.enumerated() {
            rows[row] = [TopToken(token: token, logit: 0)]
            guard index < outcome.accepted.count else { break }
            row = (draft.checked.firstIndex(of: outcome.accepted[index]) ?? 0) + 1
        }
        return DraftOutcome(tree: draft.tree, checked: draft.checked, tokens: tokens, topTokenRows: rows)
    }
}

/// The step cost C(n): the time of a step of n rows divided by the time of a step of one row.
package struct CostCurve: Sendable {
    private struct File: Decodable {
        let stepCost: [[Double]]

        enum CodingKeys: String, CodingKey { case stepCost = "step_cost" }
    }

    /// At index i, the cost of i + 1 rows.
    package let costs: [Double]

    /// Reads pairs [n, C(n)]: a JSON list of them, or the output of `bench model --json`. The curve is linear between
    /// two n and continues after the last n with the slope of the last two.
    ///
    /// - Parameter path: Where the contents come from, for error messages.
    /// - Throws: ``InferenceError`` with `unreadableFile` if the contents are not such pairs.
    package init(_ contents: [UInt8], path: String, maximumRows: Int) throws(InferenceError) {
        let data = Data(contents)
        let decoder = JSONDecoder()
        let pairs =
            (try? decoder.decode([[Double]].self, from: data))
            ?? (try? decoder.decode(File.self, from: data).stepCost)
        guard let costs = pairs.flatMap({ Self.costs($0, maximumRows: maximumRows) }) else {
            throw InferenceError(
                .unreadableFile, "\(path) is not a list of pairs [rows, cost] that begins with [1, 1] and rises")
        }
        self.costs = costs
    }

    /// The costs of 1…`maximumRows` rows through `pairs`; nil if these are not pairs, do not begin with [1, 1] or fall.
    static func costs(_ pairs: [[Double]], maximumRows: Int) -> [Double]? {
        guard pairs.count >= 2, pairs.allSatisfy({ $0.count == 2 }), pairs[0] == [1, 1],
            zip(pairs, pairs.dropFirst()).allSatisfy({ $0[0] < $1[0] && $0[1] <= $1[1] })
        else { return nil }
        return (1...maximumRows).map { rows in
            let upper = pairs.firstIndex { $0[0] >= Double(rows) } ?? pairs.count - 1
            let (low, high) = (pairs[max(upper, 1) - 1], pairs[max(upper, 1)])
            return low[1] + (high[1] - low[1]) * (Double(rows) - low[0]) / (high[0] - low[0])
        }
    }
}
