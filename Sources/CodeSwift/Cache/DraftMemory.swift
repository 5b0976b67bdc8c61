// What a drafter remembers beyond a session.

import InferTokenizers

/// What the CodeSwift drafter learned, as plain values: what may be kept in a file.
package struct DraftMemory: Equatable, Sendable {
    /// Earlier outputs, −1 after each.
    var history: [TokenID] = []
    /// The model's candidates by context: ``PreferenceSource/recordLength`` numbers each.
    var preferences: [Int32] = []
    /// What became of guesses, as ``AcceptanceTable`` counts.
    var tallies: [Float] = []
    /// How sources are weighed, as ``GuessMixer/weights``.
    var weights: [Float] = []

    package init() {}

    /// For tests. Number of tokens of earlier outputs.
    package var historyCount: Int { history.count { $0 >= 0 } }

    /// For tests. Number of contexts with stored tokens.
    package var preferenceCount: Int { preferences.count / PreferenceSource.recordLength }
}
