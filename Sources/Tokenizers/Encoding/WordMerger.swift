// Merging the symbols of one word until no pair is left that merges.

/// Merges neighbouring symbols, lowest rank first and leftmost among equals, with memory that is reused from word to
/// word.
///
/// Short words are scanned for their lowest pair; long ones keep the pairs in one queue per rank, which makes the time
/// proportional to the length however long the word is.
struct WordMerger<Rule: MergeRule> {
    /// Words up to this many symbols are scanned. Scanning costs the square of the length, so it is bounded here.
    static var scanLimit: Int { 48 }

    /// Symbols of the word, and the initial symbol each begins with.
    private var symbols: [Int32] = []
    private var origins: [Int] = []
    private var merges: [Merge] = []
    private var queue = PairQueue()

    private static var never: Merge { Merge(rank: .max, symbol: -1) }

    /// Calls `emit` for each symbol that the initial symbols `word` merge to, with the initial symbols it spans.
    mutating func merge(_ word: [Int32], _ rule: Rule, emit: (Int32, Range<Int>) -> Void) {
        if word.count == 1 {
            emit(word[0], 0..<1)
        } else if word.count <= Self.scanLimit {
            scan(word, rule, emit)
        } else {
            queue.merge(word, rule, emit)
        }
    }

    private mutating func scan(_ word: [Int32], _ rule: Rule, _ emit: (Int32, Range<Int>) -> Void) {
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
