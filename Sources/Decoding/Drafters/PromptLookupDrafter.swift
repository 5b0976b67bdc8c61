// Prompt lookup decoding: drafts what followed an earlier occurrence of the last few tokens.
//
// Rule: A. Saxena, "Prompt Lookup Decoding" (the public repository apoorvumang/prompt-lookup-decoding, README), in
// Hugging Face Transformers as `prompt_lookup_num_tokens`: for n = 3, 2, 1 it searches prompt and answer for the
// last n tokens. The 10 tokens after an occurrence are the draft, a chain. Of several occurrences this drafter takes the
// newest one that is followed by 10 tokens, or else the one followed by the most.

/// Drafts what followed the newest earlier occurrence of the last three, two or one tokens.
public final class PromptLookupDrafter: Drafter {
    /// A short name for reports.
    public let name = "prompt-lookup"

    private let longestMatch: Int
    private let draftLength: Int
    private var text: [Int32] = []
    /// At index n − 1, for each n tokens: the number of tokens up to the end of their last occurrence.
    private var lastEnd: [[[Int32]: Int]]
    /// At index n − 1, for each end of n tokens: the end of the occurrence before it; 0 for none.
    private var previousEnds: [[Int]]

    /// The assumed acceptance of a node after a match of one, two and three tokens.
    private static let acceptance: [Float] = [0.3, 0.5, 0.6]

    /// A drafter that looks for at most `longestMatch` tokens and drafts at most `draftLength`.
    public init(longestMatch: Int = 3, draftLength: Int = 10) {
        self.longestMatch = max(1, longestMatch)
        self.draftLength = max(1, draftLength)
        lastEnd = Array(repeating: [:], count: self.longestMatch)
        previousEnds = Array(repeating: [0], count: self.longestMatch)
    }

    /// Replaces the text by `tokens`.
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

    /// Proposes continuations of the text.
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

    /// The position after an earlier occurrence of the text's last `length` tokens.
    private func continuation(afterLast length: Int, wanted: Int) -> Int? {
        var end = previousEnds[length - 1][text.count]
        guard end > 0 else { return nil }
        while text.count - end < wanted, previousEnds[length - 1][end] > 0 { end = previousEnds[length - 1][end] }
        return end
    }
}
