// Merging the symbols of one word until no pair is left that merges.

/// Merges neighbouring symbols, lowest rank first and leftmost among equals, with memory that is reused from word to
/// word.
///
/// Short words are scanned for their lowest pair; longer ones keep the pairs in one queue per rank, which makes the time
/// proportional to the length; the longest are merged window by window, so that the memory in use stays small enough for
/// the processor's caches however long the word is.
struct WordMerger<Rule: MergeRule> {
    /// Words up to this many symbols are scanned. Scanning costs the square of the length, so it is bounded here.
    static var scanLimit: Int { 48 }

    /// Symbols of the word, and the initial symbol each begins with.
    private var symbols: [Int32] = []
    private var origins: [Int] = []
    private var merges: [Merge] = []
    private var queue = PairQueue()
    private var pieces: [Piece] = []

    /// What a word merges to at one place: a symbol, and where the initial symbols it spans end.
    private struct Piece { let symbol: Int32, end: Int }

    private static var never: Merge { Merge(rank: .max, symbol: -1) }

    /// Calls `emit` for each symbol that the initial symbols `word` merge to, with the initial symbols it spans.
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
            symbols.remove(at: place + 1)
            origins.remove(at: place + 1)
            merges.remove(at: place)
            for left in [place - 1, place] where left >= 0 && left < merges.count {
                merges[left] =
                    rule.merge(symbols[left], symbols[left + 1], spanning: origins[left]..<origins[left + 2])
                    ?? Self.never
            }
        }
        for index in symbols.indices { emit(symbols[index], origins[index]..<origins[index + 1]) }
    }
}

// MARK: Windows

/// How long words are cut into windows.
enum WindowPlan {
    /// Symbols of a window.
    static let length = 4096
    /// Symbols at the end of a window that the next one begins with: how the word goes on may change what they merge to.
    static let overlap = 512
}

extension WordMerger {
    /// Merges `word` window by window into `pieces`, each window beginning where the last one's trusted pieces end.
    ///
    /// Pieces are what the whole word merges to if every two neighbours, merged by themselves, stay those two. For the first
    /// merge across some boundary between pieces would find both sides as they are by themselves, and so would happen there
    /// too. Neighbours within a window passed that test by coming out of it; those at the junctions are tested here.
    ///
    /// - Returns: Whether all junctions hold; where one does not, the word must be merged as a whole.
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

    /// Whether the pieces on both sides of the boundary before piece `index` stay as they are when merged together.
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

/// A rule for a part of a word that begins `offset` symbols into it.
private struct ShiftedRule<Rule: MergeRule>: MergeRule {
    let rule: Rule
    let offset: Int

    var rankCount: Int { rule.rankCount }

    func merge(_ left: Int32, _ right: Int32, spanning span: Range<Int>) -> Merge? {
        rule.merge(left, right, spanning: span.lowerBound + offset..<span.upperBound + offset)
    }
}
