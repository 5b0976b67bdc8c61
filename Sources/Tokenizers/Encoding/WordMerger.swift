// Merging the symbols of one word until no pair merges: shared by both encoders.

/// The result of merging two neighbouring symbols.
struct Merge {
    /// Lower ranks merge first; equal ranks merge from left to right.
    var rank: Int32
    /// The symbol that replaces both.
    var symbol: Int32
}

/// Decides whether two neighbouring symbols merge. In this, byte-pair and SentencePiece encoding differ.
protocol MergeRule {
    /// Number of ranks. Every rank is smaller.
    var rankCount: Int { get }

    /// The merge of `left` and `right`; nil if they do not merge. Together they span the initial symbols `span` of the word.
    func merge(_ left: Int32, _ right: Int32, spanning span: Range<Int>) -> Merge?
}

/// Merges neighbouring symbols, lowest rank first and leftmost among equal ranks. It reuses its memory from word to word.
///
/// There are three methods, by length. For short words, each step scans for the pair with the lowest rank. For longer words,
/// one queue per rank makes the time proportional to the length. The longest words are merged in windows, so that the memory
/// fits into the processor's caches.
struct WordMerger<Rule: MergeRule> {
    /// Words with at most this many symbols are scanned. Scanning takes quadratic time.
    static var scanLimit: Int { 48 }

    /// The symbols of the word, and the first initial symbol of each.
    private var symbols: [Int32] = []
    private var origins: [Int] = []
    private var merges: [Merge] = []
    private var queue = PairQueue()
    private var pieces: [Piece] = []

    /// A symbol that the word merges to, and the end of the initial symbols that it spans.
    private struct Piece { let symbol: Int32, end: Int }

    private static var never: Merge { Merge(rank: .max, symbol: -1) }

    /// Merges the initial symbols `word`. Calls `emit` for each resulting symbol with the initial symbols that it spans.
    mutating func merge(_ word: [Int32], _ rule: Rule, emit: (Int32, Range<Int>) -> Void) {
        if word.count == 1 {
            emit(word[0], 0..<1)
        } else if word.count <= Self.scanLimit {
            scan(word, rule, emit)
        } else if word.count > WindowPlan.length, mergeWindows(word, rule) {
            var start = 0
            for piece in pieces {
                emit(piece.symbol, start..<piece.end)
                start = piece.end
            }
        } else {
            queue.merge(word, rule, emit)
        }
    }

    private mutating func scan(_ word: [Int32], _ rule: some MergeRule, _ emit: (Int32, Range<Int>) -> Void) {
        let total = word.count
        symbols.removeAll(keepingCapacity: true)
        symbols.append(contentsOf: word)
        origins.removeAll(keepingCapacity: true)
        origins.append(contentsOf: 0...total)
        merges.removeAll(keepingCapacity: true)
        for index in 0..<max(0, total - 1) {
            merges.append(rule.merge(word[index], word[index + 1], spanning: index..<index + 2) ?? Self.never)
        }
        while true {
            var best = Self.never
            var place = 0
            for index in merges.indices where merges[index].rank < best.rank {
                best = merges[index]
                place = index
            }
            guard best.rank != .max else { break }
            symbols[place] = best.symbol
            Self.remove(place + 1, from: &symbols)
            Self.remove(place + 1, from: &origins)
            Self.remove(place, from: &merges)
            for left in [place - 1, place] where left >= 0 && left < merges.count {
                merges[left] =
                    rule.merge(symbols[left], symbols[left + 1], spanning: origins[left]..<origins[left + 2])
                    ?? Self.never
            }
        }
        for index in symbols.indices { emit(symbols[index], origins[index]..<origins[index + 1]) }
    }

    /// The same as `remove(at:)`, which the compiler does not always inline.
    @inline(__always)
    private static func remove<Element: BitwiseCopyable>(_ place: Int, from array: inout [Element]) {
        array.withUnsafeMutableBufferPointer { elements in
            guard let base = elements.baseAddress else { return }
            (base + place).update(from: base + place + 1, count: elements.count - place - 1)
        }
        array.removeLast()
    }
}

// MARK: Windows

/// The windows in which the longest words are merged.
enum WindowPlan {
    /// Number of symbols in a window.
    static let length = 4096
    /// Number of symbols at the end of a window that are merged again in the next one, because the rest of the word can change
    /// their merges.
    static let overlap = 512
}

extension WordMerger {
    /// Merges `word` in windows into `pieces`. Each window begins where the trusted pieces of the previous one end.
    ///
    /// The pieces are the correct result if every two neighbouring pieces, merged on their own, remain the same two pieces.
    /// Proof: consider the first merge across a boundary between two pieces. Until then both sides have merged as they do on
    /// their own, so the same merge would also happen when the two pieces are merged on their own. Neighbours within one window
    /// satisfy the condition. Neighbours from different windows are tested here.
    ///
    /// - Returns: Whether all tests succeed. If not, the word must be merged as a whole.
    private mutating func mergeWindows(_ word: [Int32], _ rule: Rule) -> Bool {
        pieces.removeAll(keepingCapacity: true)
        var start = 0
        while start < word.count {
            let end = min(start + WindowPlan.length, word.count)
            let trusted = end == word.count ? end : end - WindowPlan.overlap
            let junction = pieces.count
            queue.merge(Array(word[start..<end]), ShiftedRule(rule: rule, offset: start)) { symbol, span in
                if start + span.upperBound <= trusted {
                    pieces.append(Piece(symbol: symbol, end: start + span.upperBound))
                }
            }
            guard pieces.count > junction, holds(junction, word, rule) else { return false }
            start = pieces[pieces.count - 1].end
        }
        return true
    }

    /// Whether the pieces on both sides of the boundary before piece `index` remain the same when merged on their own.
    private mutating func holds(_ index: Int, _ word: [Int32], _ rule: Rule) -> Bool {
        guard index > 0 else { return true }
        let start = index > 1 ? pieces[index - 2].end : 0
        let boundary = pieces[index - 1].end - start
        let pair = Array(word[start..<pieces[index].end])
        let shifted = ShiftedRule(rule: rule, offset: start)
        var found: [Int] = []
        if pair.count <= Self.scanLimit {
            scan(pair, shifted) { found.append($1.upperBound) }
        } else {
            queue.merge(pair, shifted) { found.append($1.upperBound) }
        }
        return found == [boundary, pair.count]
    }
}

/// The rule for a part of a word that begins at symbol `offset`.
private struct ShiftedRule<Rule: MergeRule>: MergeRule {
    let rule: Rule
    let offset: Int

    var rankCount: Int { rule.rankCount }

    func merge(_ left: Int32, _ right: Int32, spanning span: Range<Int>) -> Merge? {
        rule.merge(left, right, spanning: span.lowerBound + offset..<span.upperBound + offset)
    }
}

// MARK: Junctions

/// The pairs of bytes that are neighbours within some token. No merge crosses any other pair, so a word can be cut there
/// without changing the result.
struct JunctionSet: Sendable {
    private var bits = [UInt64](repeating: 0, count: 1 << 10)

    private static func index(_ left: UInt8, _ right: UInt8) -> Int { Int(left) << 8 | Int(right) }

    mutating func insert(_ left: UInt8, _ right: UInt8) {
        let index = Self.index(left, right)
        bits[index >> 6] |= 1 << UInt64(index & 63)
    }

    func contains(_ left: UInt8, _ right: UInt8) -> Bool {
        let index = Self.index(left, right)
        return bits[index >> 6] >> UInt64(index & 63) & 1 != 0
    }
}
