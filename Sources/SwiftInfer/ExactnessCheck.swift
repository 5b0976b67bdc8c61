// Compares generations with and without drafting, bit by bit.

import InferDecoding
package import InferSupport
import InferTokenizers

/// The check of the promise that drafting changes nothing: each prompt is continued without a drafter and then with each of
/// several, and every logits row that a token was chosen from is compared.
///
/// Besides the drafters to be checked, four probes draft with knowledge of the text: always right, never right, random trees,
/// and the widest trees. Widths of steps and ways to sample take turns.
package struct ExactnessCheck: Sendable {
    /// Generates without drafting.
    package var plain: Session
    /// Generates with drafting.
    package var drafted: Session
    /// The drafters to check besides the probes.
    package var drafters: [DrafterChoice] = []
    /// Rows of a step, the last token's included, that drafts are cut to in turn.
    package var widths = [2, 64, 5, 8, 3, 17, 4, 32, 7, 16, 9, 15, 1]
    /// Tokens of each generation.
    package var tokens = 48
    /// Ways to sample each prompt is continued in besides the greedy one; they are taken from a fixed list in turn.
    package var samplings = 1
    /// Drafters and probes that each answer is checked with; when they are fewer than there are, they take turns.
    package var contestantsPerAnswer = Int.max

    /// A check of one session against another.
    package init(plain: Session, drafted: Session) {
        self.plain = plain
        self.drafted = drafted
    }

    private static let samplingKinds: [SamplingOptions] = {
        var cool = SamplingOptions()
        cool.temperature = 0.2
        cool.topK = 40
        var warm = SamplingOptions()
        warm.temperature = 0.7
        warm.topP = 0.9
        warm.repeatPenalty = 1.1
        var hot = SamplingOptions()
        hot.temperature = 1
        hot.minP = 0.05
        hot.frequencyPenalty = 0.2
        hot.presencePenalty = 0.1
        return [cool, warm, hot]
    }()

    /// Continues and compares `prompts`.
    ///
    /// - Throws: What a generation throws.
    package func run(
        _ prompts: [Prompt], progress: (ExactnessReport) -> Void = { _ in }
    ) async throws(InferenceError) -> ExactnessReport {
        var report = ExactnessReport()
        var hash = LogitsHash()
        var turn = 0
        var next = 0
        for (number, prompt) in prompts.enumerated() {
            let given = try plain.model.tokens(for: prompt)
            for kind in 0...samplings {
                var options = GenerationOptions(maximumTokens: tokens)
                options.hashesLogits = true
                // Some answers run on beyond the end of the text, some end there, also within a draft.
                options.ignoresEndOfText = number.isMultiple(of: 2)
                if kind > 0 {
                    options.sampling = Self.samplingKinds[(number + kind) % Self.samplingKinds.count]
                    options.sampling.seed = UInt64(number)
                }
                var plainOptions = options
                plainOptions.usesDrafter = false
                let expected = try await plain.respond(to: .tokens(given), options: plainOptions).statistics
                for row in expected.rowHashes { hash.append(rowHash: row) }
                let contestants = contestants(text: given + expected.tokens, seed: UInt64(turn))
                for index in 0..<min(contestantsPerAnswer, contestants.count) {
                    let drafter = contestants[(next + index) % contestants.count]
                    let width = widths[turn % widths.count]
                    turn += 1
                    options.draftWidth = .fixed(width - 1)
                    try await drafted.use(drafter)
                    let found = try await drafted.respond(to: .tokens(given), options: options).statistics
                    report.add(found, to: expected, prompt: number, drafter: "\(drafter), \(width) rows")
                }
                next = (next + contestantsPerAnswer % contestants.count) % contestants.count
            }
            report.prompts += 1
            report.plainHash = hash.value
            progress(report)
        }
        return report
    }

    private func contestants(text: [TokenID], seed: UInt64) -> [DrafterChoice] {
        let count = plain.model.tokenizer.count
        let probes = ProbeDrafter.Rule.allCases.map { rule in
            DrafterChoice(rule.rawValue) { _ in ProbeDrafter(rule, text: text, tokenCount: count, seed: seed) }
        }
        return probes + drafters
    }
}

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
