// Prompt lookup decoding: repeats what followed the same few tokens before.
//
// Rule: A. Saxena, "Prompt Lookup Decoding" (the public repository apoorvumang/prompt-lookup-decoding, README), in
// Hugging Face Transformers as `prompt_lookup_num_tokens`: for n = 3, 2, 1 the last n tokens are looked for in prompt
// and answer; where they are found, the 10 tokens that follow are the draft, a chain. Of several places this takes the
// newest that 10 tokens follow, or else the one that most follow.

/// Drafts what followed the newest earlier occurrence of the last three, two or one tokens.
public final class PromptLookupDrafter: Drafter {
    /// A short name for reports.
    public let name = "prompt-lookup"

    private let longestMatch: Int
    private let draftLength: Int
    private var text: [Int32] = []
    /// For n tokens at index n - 1: where they last ended, as the number of tokens up to there.
    private var lastEnd: [[[Int32]: Int]]
    /// For n at index n - 1 and the place they end at: where the same n tokens ended before that; 0 for nowhere.
    private var previousEnds: [[Int]]

    /// The share of guesses that are right after a match of one, two and three tokens, where nothing is known yet.
    private static let acceptance: [Float] = [0.3, 0.5, 0.6]

    /// A drafter that looks for at most `longestMatch` tokens and drafts at most `draftLength`.
    public init(longestMatch: Int = 3, draftLength: Int = 10) {
        self.longestMatch = max(1, longestMatch)
        self.draftLength = max(1, draftLength)
        lastEnd = Array(repeating: [:], count: self.longestMatch)
        previousEnds = Array(repeating: [0], count: self.longestMatch)
    }

    /// Takes `tokens` as the text from now on.
    public func reset(to tokens: [Int32]) {
        text.removeAll(keepingCapacity: true)
        for index in 0..<longestMatch {
            lastEnd[index].removeAll(keepingCapacity: true)
            previousEnds[index] = [0]
        }
        for token in tokens { append(token) }
    }

    /// Learns how the text went on.
    public func observe(_ outcome: DraftOutcome) {
        for token in outcome.tokens { append(token) }
    }

    /// Guesses how the text goes on.
    public func draft(into tree: inout DraftTree, limit: Int) {
        let wanted = min(draftLength, limit)
        guard wanted > 0 else { return }
        for length in stride(from: min(longestMatch, text.count), to: 0, by: -1) {
            guard let start = continuation(afterLast: length, wanted: wanted) else { continue }
            let chain = text[start..<min(start + wanted, text.count)]
            let acceptance = Self.acceptance[min(length, Self.acceptance.count) - 1]
            tree.insert(chain: chain, acceptance: acceptance, tag: UInt16(clamping: length))
            return
        }
    }

    private func append(_ token: Int32) {
        text.append(token)
        for length in 1...longestMatch {
            guard length <= text.count else {
                previousEnds[length - 1].append(0)
                continue
            }
            let previous = lastEnd[length - 1].updateValue(text.count, forKey: Array(text.suffix(length)))
            previousEnds[length - 1].append(previous ?? 0)
        }
    }

    /// Where the text goes on after an earlier occurrence of its last `length` tokens.
    private func continuation(afterLast length: Int, wanted: Int) -> Int? {
        var end = previousEnds[length - 1][text.count]
        guard end > 0 else { return nil }
        while text.count - end < wanted, previousEnds[length - 1][end] > 0 { end = previousEnds[length - 1][end] }
        return end
    }
}
