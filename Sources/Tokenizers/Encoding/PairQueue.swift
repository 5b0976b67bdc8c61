// Merging a long word: the pairs that can merge, queued by rank.

/// The symbols of a word as a linked list, and its mergeable pairs in one queue per rank.
///
/// A heap orders the ranks in use, of which there are few; within a rank pairs come out from left to right. Pairs are
/// mostly found in that order, so that a queue is a plain list; the ones found out of order wait in a small heap beside
/// it.
struct PairQueue {
    private var symbols: [Int32] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    /// The merge of the pair that begins at each place; rank `.max` for none.
    private var merges: [Merge] = []

    private var ranks = MinimumHeap()
    private var queues: [RankQueue] = []
    private var usedQueues = 0
    /// Index of each rank's queue, plus one; 0 for a rank not seen in this word.
    private var queueOfRank: [Int32] = []
    private var seenRanks: [Int32] = []

    /// Calls `emit` for each symbol `word` merges to, with the initial symbols it spans.
    mutating func merge<Rule: MergeRule>(_ word: [Int32], _ rule: Rule, _ emit: (Int32, Range<Int>) -> Void) {
        load(word, ranks: rule.rankCount)
        for place in 0..<word.count - 1 { find(place, rule) }
        while let rank = ranks.minimum {
            let queue = Int(queueOfRank[Int(rank)]) - 1
            guard let place = queues[queue].popFirst() else {
                ranks.removeMinimum()
                queues[queue].isListed = false
                continue
            }
            // What was queued before one of the two merged elsewhere is out of date.
            guard merges[place].rank == rank else { continue }
            apply(place, rule)
        }
        var place = 0
        while place < word.count {
            let end = Int(next[place])
            emit(symbols[place], place..<end)
            place = end
        }
        for rank in seenRanks { queueOfRank[Int(rank)] = 0 }
    }

    private mutating func load(_ word: [Int32], ranks count: Int) {
        symbols = word
        next.removeAll(keepingCapacity: true)
        next.append(contentsOf: 1...Int32(word.count))
        previous.removeAll(keepingCapacity: true)
        previous.append(contentsOf: -1..<Int32(word.count - 1))
        merges.removeAll(keepingCapacity: true)
        merges.append(contentsOf: repeatElement(Merge(rank: .max, symbol: -1), count: word.count))
        if queueOfRank.count < count { queueOfRank = Array(repeating: 0, count: count) }
        for index in 0..<usedQueues { queues[index].removeAll() }
        usedQueues = 0
        seenRanks.removeAll(keepingCapacity: true)
    }

    private mutating func apply(_ place: Int, _ rule: some MergeRule) {
        let absorbed = Int(next[place])
        let after = next[absorbed]
        symbols[place] = merges[place].symbol
        merges[absorbed].rank = .max
        next[place] = after
        if Int(after) < symbols.count { previous[Int(after)] = Int32(place) }
        if previous[place] >= 0 { find(Int(previous[place]), rule) }
        find(place, rule)
    }

    /// Looks up the pair that begins at `place` and queues it.
    private mutating func find(_ place: Int, _ rule: some MergeRule) {
        let right = Int(next[place])
        guard right < symbols.count,
            let merge = rule.merge(symbols[place], symbols[right], spanning: place..<Int(next[right]))
        else {
            merges[place].rank = .max
            return
        }
        merges[place] = merge
        var queue = Int(queueOfRank[Int(merge.rank)]) - 1
        if queue < 0 {
            queue = usedQueues
            usedQueues += 1
            if queue == queues.count { queues.append(RankQueue()) }
            queueOfRank[Int(merge.rank)] = Int32(usedQueues)
            seenRanks.append(merge.rank)
        }
        queues[queue].insert(Int32(place))
        if !queues[queue].isListed {
            queues[queue].isListed = true
            ranks.insert(merge.rank)
        }
    }
}
