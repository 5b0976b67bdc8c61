// Drafters the tests use.

import SwiftInfer
import Synchronization

/// The probe `rule` for an answer known beforehand.
func probe(_ rule: ProbeDrafter.Rule, _ response: Response, after prompt: [TokenID], of model: Model) -> DrafterChoice {
    let text = prompt + response.statistics.tokens
    let count = model.tokenizer.count
    return DrafterChoice(rule.rawValue) { _ in ProbeDrafter(rule, text: text, tokenCount: count) }
}

/// What a ``RecordingDrafter`` was told.
final class Record: Sendable {
    private struct State {
        var resets: [[TokenID]] = []
        var outcomes: [DraftOutcome] = []
    }

    private let state = Mutex(State())

    var resets: [[TokenID]] { state.withLock { $0.resets } }
    var outcomes: [DraftOutcome] { state.withLock { $0.outcomes } }

    func add(reset tokens: [TokenID]) { state.withLock { $0.resets.append(tokens) } }
    func add(_ outcome: DraftOutcome) { state.withLock { $0.outcomes.append(outcome) } }
}

/// Passes everything on to another drafter and writes down what it is told.
final class RecordingDrafter: Drafter {
    let name = "recording"
    var topTokensWanted: Int { 3 }
    private let drafter: any Drafter
    private let record: Record

    init(_ drafter: any Drafter, into record: Record) {
        self.drafter = drafter
        self.record = record
    }

    func reset(to tokens: [TokenID]) {
        record.add(reset: tokens)
        drafter.reset(to: tokens)
    }

    func draft(into tree: inout DraftTree, limit: Int) { drafter.draft(into: &tree, limit: limit) }

    func observe(_ outcome: DraftOutcome) {
        record.add(outcome)
        drafter.observe(outcome)
    }
}

/// A drafter as a user of the library might write it: what followed the last token when it last occurred.
final class EchoDrafter: Drafter {
    let name = "echo"
    private var text: [TokenID] = []

    func reset(to tokens: [TokenID]) { text = tokens }

    func observe(_ outcome: DraftOutcome) { text += outcome.tokens }

    func draft(into tree: inout DraftTree, limit: Int) {
        guard let last = text.last, let place = text.dropLast().lastIndex(of: last) else { return }
        tree.insert(chain: text[(place + 1)...].prefix(min(limit, 8)), acceptance: 0.6)
    }
}

/// Proposes the same chains every time.
final class FixedDrafter: Drafter {
    let name = "fixed"
    private let chains: [[TokenID]]

    init(_ chains: [[TokenID]]) { self.chains = chains }

    func reset(to tokens: [TokenID]) {}
    func observe(_ outcome: DraftOutcome) {}

    func draft(into tree: inout DraftTree, limit: Int) {
        for chain in chains {
            var parent = DraftTree.root
            for token in chain { parent = tree.insert(token, after: parent, value: 0.9) }
        }
    }
}
