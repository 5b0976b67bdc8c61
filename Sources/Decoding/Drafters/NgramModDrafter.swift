// The rule of llama.cpp's `ngram-mod`: a table maps the hash of the last tokens to the next token.
//
// Rule: llama.cpp b11434, `--spec-type ngram-mod` (docs/speculative.md; pull request 19164), with its defaults. The table
// has 2²² tokens and is indexed by a hash of the last 24, without a check of the key. The draft is a chain of up to 64
// look-ups; a chain that ends before 48 is dropped. The text enters the table in chunks of 32 tokens. The table is emptied
// when it is more than a quarter full at the start of a prompt, or after five drafts in a row of which less than a quarter
// was accepted.

/// Drafts from one large table that maps the last tokens' hash to the next token.
public final class NgramModDrafter: Drafter {
    /// A short name for reports.
    public let name = "ngram-mod"

    private let matchLength: Int
    private let draftLengths: ClosedRange<Int>
    private var table: [Int32]
    private var usedCount = 0
    private var text: [Int32] = []
    /// The first position whose following token may not be in the table yet.
    private var next = 0
    private var lowStreak = 0

    private static let empty: Int32 = -1
    private static let chunk = 32
    /// The assumed acceptance of a node.
    private static let acceptance: Float = 0.95

    /// A drafter that hashes `matchLength` tokens and makes drafts whose length is within `draftLengths`.
    public init(matchLength: Int = 24, draftLengths: ClosedRange<Int> = 48...64, tableSize: Int = 1 << 22) {
        self.matchLength = max(1, matchLength)
        self.draftLengths = draftLengths
        table = Array(repeating: Self.empty, count: max(1, tableSize))
    }

    /// Replaces the text by `tokens`.
    public func reset(to tokens: [Int32]) {
        text = tokens
        next = 0
        guard text.count >= matchLength else { return }
        learn()
        if usedCount * 4 > table.count { clear() }
    }

    /// Proposes continuations of the text.
    public func draft(into tree: inout DraftTree, limit: Int) {
        guard text.count >= matchLength else { return }
        if next + Self.chunk < text.count { learn() }
        var window = Array(text.suffix(matchLength))
        for count in 0..<draftLengths.upperBound {
            let token = table[slot(of: window[count...])]
            if token == Self.empty {
                if count < draftLengths.lowerBound { return }
                break
            }
            window.append(token)
        }
        tree.insert(chain: window.dropFirst(matchLength).prefix(limit), acceptance: Self.acceptance)
    }

    /// Learns how the text went on.
    public func observe(_ outcome: DraftOutcome) {
        text += outcome.tokens
        // Judged by the checked nodes: the engine may check only the beginning of a long draft.
        guard !outcome.checked.isEmpty else { return }
        if outcome.accepted.count * 4 >= outcome.checked.count {
            lowStreak = 0
        } else {
            lowStreak += 1
            if lowStreak >= 5 {
                clear()
                lowStreak = 0
                next = 0
            }
        }
    }

    private func learn() {
        let end = text.count - matchLength
        for start in stride(from: next, to: end, by: 1) {
            let slot = slot(of: text[start..<start + matchLength])
            if table[slot] == Self.empty { usedCount += 1 }
            table[slot] = text[start + matchLength]
        }
        next = max(end, 0)
    }

    private func clear() {
        for slot in table.indices { table[slot] = Self.empty }
        usedCount = 0
    }

    private func slot(of window: ArraySlice<Int32>) -> Int {
        // Knuth's multiplier for linear congruential generators modulo 2⁶⁴.
        let hash = window.reduce(UInt64(0)) { $0 &* 6_364_136_223_846_793_005 &+ UInt64(truncatingIfNeeded: $1) }
        return Int(hash % UInt64(table.count))
    }
}
