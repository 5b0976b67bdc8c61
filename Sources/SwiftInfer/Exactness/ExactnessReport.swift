// What comparing generations with and without drafting found.

/// The outcome of comparisons, every logits row by its hash.
package struct ExactnessReport: Sendable, Equatable {
    /// A generation with drafting that differs from the one without.
    package struct Difference: Sendable, Equatable {
        /// The prompt's number.
        package let prompt: Int
        /// The drafter's name and the rows of a step.
        package let drafter: String
        /// The first row that differs, counted from the answer's first token.
        package let row: Int
    }

    /// Prompts compared.
    package var prompts = 0
    /// Generations with drafting that were compared.
    package var runs = 0
    /// Their rows.
    package var rows = 0
    /// Rows that differ, whose token differs, or that have no counterpart.
    package var mismatches = 0
    /// Draft nodes that went through the model.
    package var drafted = 0
    /// Draft nodes that were accepted.
    package var accepted = 0
    /// Every generation with a mismatch.
    package var differences: [Difference] = []
    /// A hash over all rows of the generations without drafting.
    package var plainHash: UInt64 = 0

    /// A report of nothing.
    package init() {}

    /// Adds a comparison.
    mutating func add(_ drafted: Statistics, to plain: Statistics, prompt: Int, drafter: String) {
        let count = max(plain.rowHashes.count, drafted.rowHashes.count)
        let wrong = (0..<count).filter { row in
            guard row < min(plain.rowHashes.count, drafted.rowHashes.count) else { return true }
            return plain.rowHashes[row] != drafted.rowHashes[row] || plain.tokens[row] != drafted.tokens[row]
        }
        runs += 1
        rows += count
        mismatches += wrong.count
        self.drafted += drafted.draft.drafted
        accepted += drafted.draft.accepted
        if let first = wrong.first {
            differences.append(Difference(prompt: prompt, drafter: drafter, row: first))
        }
    }
}
