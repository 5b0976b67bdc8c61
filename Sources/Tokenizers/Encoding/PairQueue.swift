// Merging a long word: the pairs that can merge, queued by rank.

/// The symbols of a word as a linked list, and the pairs that can merge in one queue per rank.
///
/// A heap orders the ranks in use, which are few. Within a rank, pairs leave the queue from left to right. They are mostly
/// found in that order, so a queue is a list; a small heap holds the pairs that are found out of order.
struct PairQueue {
    private var symbols: [Int32] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    /// The merge of the pair that begins at each position; rank `.max` for none.
    private var merges: [Merge] = []

    private var ranks = MinimumHeap()
    private var queues: [RankQueue] = []
    private var usedQueues = 0
    /// Index of the queue of each rank, plus one; 0 for a rank without a queue.
    private var queueOfRank: [Int32] = []
    private var seenRanks: [Int32] = []

    /// Merges the initial symbols `word`. Calls `emit` for each resulting symbol with the initial symbols that it spans.
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
            // Skip a pair that changed after it was queued.
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

    /// Looks up the pair that begins at `place`, and queues it if it can merge.
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

/// A queue of the positions where one merge is possible. They leave it in ascending order.
struct RankQueue {
    /// Whether the rank of this queue is in the heap of ranks.
    var isListed = false
    private var places: [Int32] = []
    private var head = 0
    private var strays = MinimumHeap()

    mutating func insert(_ place: Int32) {
        if let last = places.last, head < places.count, place < last {
            strays.insert(place)
        } else {
            places.append(place)
        }
    }

    mutating func popFirst() -> Int? {
        let first = head < places.count ? places[head] : nil
        if let stray = strays.minimum, stray <= first ?? .max {
            strays.removeMinimum()
            return Int(stray)
        }
        guard let first else {
            places.removeAll(keepingCapacity: true)
            head = 0
            return nil
        }
        head += 1
        return Int(first)
    }

    mutating func removeAll() {
        isListed = false
        places.removeAll(keepingCapacity: true)
        head = 0
        strays.removeAll()
    }
}

/// A binary heap of integers with access to the smallest.
struct MinimumHeap {
    private var items: [Int32] = []

    var minimum: Int32? { items.first }

    mutating func insert(_ item: Int32) {
        var index = items.count
        items.append(item)
        while index > 0 {
            let parent = (index - 1) / 2
            guard items[parent] > item else { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    mutating func removeMinimum() {
        guard let item = items.popLast(), !items.isEmpty else { return }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < items.count else { break }
            if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
            guard items[child] < item else { break }
            items[index] = items[child]
            index = child
        }
        items[index] = item
    }

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }
}
