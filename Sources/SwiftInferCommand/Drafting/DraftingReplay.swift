// Drafters against a given text, without a model.

import InferDecoding
import InferTokenizers

/// Counts the steps that a drafter would need for a given answer if a model gave that answer.
struct DraftingReplay {
    /// How many guesses a step checks.
    let width: DraftWidth
    /// At index i the cost of a step of i + 1 rows; nil where only steps are counted.
    let costs: [Double]?

    /// Goes through `answer` after `prompt`.
    func run(_ planner: DraftPlanner, prompt: [TokenID], answer: [TokenID], tokenCount: Int) -> DraftingRun {
        let isInLoop = TokenLoops.mark(answer)
        let loopStart = isInLoop.firstIndex(of: true) ?? answer.count
        var run = DraftingRun()
        run.loopTokens = isInLoop.dropFirst().count { $0 }
        let start = planner.retrievalDuration
        planner.reset(to: prompt)
        planner.observe(verification(Draft(), Array(answer.prefix(1))))
        var time = 0.0
        var position = 1
        while position < answer.count {
            let remaining = answer.count - position
            let draft = planner.draft(
                DraftPlanner.Bounds(
                    nodes: DraftPlanner.maximumRows - 1, depth: remaining - 1, tokenCount: tokenCount), width: width)
            let tokens = tokens(draft, answer[position...])
            planner.observe(verification(draft, tokens))
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

    /// What one step gives: the guesses that agree with `answer`, and one token more.
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

    /// The outcome of a step. Of what a model would have thought of other tokens nothing is known.
    private func verification(_ draft: Draft, _ tokens: [TokenID]) -> Verification {
        let outcome = Verification(tree: draft.tree, checked: draft.checked, tokens: tokens)
        var rows = [[Verification.Candidate]](repeating: [], count: draft.checked.count + 1)
        var row = 0
        for (index, token) in tokens.enumerated() {
            rows[row] = [Verification.Candidate(token: token, logit: 0)]
            guard index < outcome.accepted.count else { break }
            row = (draft.checked.firstIndex(of: outcome.accepted[index]) ?? 0) + 1
        }
        return Verification(tree: draft.tree, checked: draft.checked, tokens: tokens, candidateRows: rows)
    }
}
