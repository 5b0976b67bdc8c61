// Compares generations with and without drafting, bit by bit.

import InferDecoding
package import InferGrammar
package import InferSupport
import InferTokenizers

/// Checks that drafting does not change the output. Each prompt is continued without a drafter and then with each of several
/// drafters. Every logits row from which a token was chosen is compared.
///
/// Besides the given drafters, four probes draft with knowledge of the text: always right, never right, random trees, and the
/// widest trees. Step widths and sampling options take turns.
package struct ExactnessCheck: Sendable {
    /// Generates without drafting.
    package var plain: Session
    /// Generates with drafting.
    package var drafted: Session
    /// The drafters to check besides the probes.
    package var drafters: [DrafterChoice] = []
    /// The numbers of rows of a step, including the last token's, to which drafts are cut in turn.
    package var widths = [2, 64, 5, 8, 3, 17, 4, 32, 7, 16, 9, 15, 1]
    /// The number of tokens of each generation.
    package var tokens = 48
    /// The grammar that the answers follow; nil for any text.
    package var grammar: Grammar?
    /// What changes the logits before a token is chosen.
    package var logitProcessors: [any LogitProcessor] = []
    /// The number of sampling options, besides greedy, with which each prompt is continued. They are taken from a fixed list in
    /// turn.
    package var samplings = 1
    /// The number of drafters and probes with which each answer is checked. If it is less than all of them, they take turns.
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
    /// - Throws: The errors of a generation.
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
                options.grammar = grammar
                options.logitProcessors = logitProcessors
                // Some answers continue beyond the end of the text. Others end there, possibly within a draft.
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

/// The result of comparisons of all logits rows by their hashes.
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

    /// The number of compared prompts.
    package var prompts = 0
    /// The number of compared generations with drafting.
    package var runs = 0
    /// The number of their rows.
    package var rows = 0
    /// The number of rows that differ, whose token differs, or that have no counterpart.
    package var mismatches = 0
    /// The number of draft nodes that went through the model.
    package var drafted = 0
    /// The number of draft nodes that were accepted.
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
