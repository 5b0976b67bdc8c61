// Many binary searches in suffix arrays, run side by side.

/// Narrows ranges of suffixes to those that continue with a given token, for many ranges at once.
///
/// Each probe of a binary search reads the suffix array and the tokens at unpredictable addresses, which are usually in
/// no cache while a model runs. One such read is slow, but a processor can have dozens in flight. So all searches
/// advance together, one round of probes at a time; with fewer searches, each gets more probes per round.
struct RangeSearch: ~Copyable {
    /// One search and its result.
    struct Search {
        /// The number of the suffix array.
        var segment: Int32
        /// Number of tokens that the suffixes share.
        var offset: Int32
        var token: UInt32
        /// The first suffix with a token ≥ `token` is in this span, or directly after it.
        var first: Span
        /// The same for the first suffix with a token > `token`.
        var end: Span
        /// Number of probes in the current round.
        fileprivate var firstProbes: Int32 = 0
        fileprivate var endProbes: Int32 = 0

        /// A search among the suffixes `lower`..<`upper` for those with `token` after their first `offset` tokens.
        init(segment: Int32, offset: Int32, token: UInt32, lower: UInt32, upper: UInt32) {
            self.segment = segment
            self.offset = offset
            self.token = token
            first = Span(lower: lower, upper: upper)
            end = first
        }

        /// Uses the known tokens at `count` evenly spaced suffixes of the range, the first suffix included.
        mutating func narrow(_ tokens: UnsafePointer<UInt32>, count: Int) {
            let all = first
            for number in 0..<count {
                let index = all.lower &+ UInt32(truncatingIfNeeded: all.count * number / count)
                first.narrow(index, isBeyond: tokens[number] >= token)
                end.narrow(index, isBeyond: tokens[number] > token)
            }
        }

        /// The range that was found; empty if `end` is not above `first`.
        var result: Span { Span(lower: first.lower, upper: end.lower) }

        fileprivate var isDone: Bool { first.isEmpty && end.isEmpty }
    }

    /// The indices `lower`..<`upper`.
    struct Span: Equatable {
        var lower: UInt32
        var upper: UInt32

        var isEmpty: Bool { lower >= upper }
        var count: Int { upper > lower ? Int(upper - lower) : 0 }

        /// The distance between `probes` evenly spaced indices; the first one has this distance from the start.
        fileprivate func stride(_ probes: Int32) -> UInt32 { (upper &- lower &+ 1) / UInt32(bitPattern: probes &+ 1) }
    }

    struct Probe {
        var index: UInt32
        var token: UInt32 = 0
        var place: Int = 0
    }

    private var searches = FlatList<Search>(capacity: 64)
    private var active = FlatList<Int32>(capacity: 64)
    private var probes = FlatList<Probe>(capacity: 256)

    /// Number of probes per round: about as many reads as a processor keeps in flight.
    private static let breadth = 32
    /// Maximum number of probes of one search in a round.
    private static let mostProbes = 15

    /// Number of searches.
    var count: Int { searches.count }

    /// A search in its current state.
    subscript(number: Int) -> Search { searches[number] }

    /// Removes all searches.
    mutating func removeAll() { searches.truncate() }

    /// Adds a search. Searches are numbered in the order in which they are added.
    mutating func add(_ search: Search) { searches.append(search) }

    /// Runs all searches to the end.
    mutating func run(_ views: UnsafePointer<SuffixView>) {
        active.truncate()
        for number in 0..<searches.count where !searches[number].isDone {
            active.append(Int32(truncatingIfNeeded: number))
        }
        while active.count > 0 {
            gatherProbes(views)
            read(views)
            narrow()
        }
    }

    private mutating func gatherProbes(_ views: UnsafePointer<SuffixView>) {
        let share = Int32(min(max(Self.breadth / active.count, 1), Self.mostProbes))
        probes.truncate()
        for place in 0..<active.count {
            let number = Int(active[place])
            var search = searches[number]
            // While both ends have the same span, one set of probes serves both.
            let isShared = search.first == search.end
            let each = isShared ? share : max(1, share / 2)
            search.firstProbes = min(each, Int32(truncatingIfNeeded: search.first.count))
            search.endProbes = isShared ? 0 : min(each, Int32(truncatingIfNeeded: search.end.count))
            let suffixes = views[Int(search.segment)].suffixes
            add(search.firstProbes, of: search.first, search.offset, suffixes)
            add(search.endProbes, of: search.end, search.offset, suffixes)
            searches[number] = search
        }
    }

    /// Adds `count` probes of `span`; `count` is at most the number of its indices.
    private mutating func add(
        _ count: Int32, of span: Span, _ offset: Int32, _ suffixes: UnsafeBufferPointer<UInt32>
    ) {
        guard count > 0 else { return }
        let stride = span.stride(count)
        var index = span.lower &+ stride &- 1
        for _ in 0..<count {
            probes.append(Probe(index: index, place: Int(suffixes[Int(index)]) &+ Int(offset)))
            index &+= stride
        }
    }

    private mutating func read(_ views: UnsafePointer<SuffixView>) {
        var next = 0
        for place in 0..<active.count {
            let search = searches[Int(active[place])]
            let tokens = views[Int(search.segment)].tokens
            for _ in 0..<search.firstProbes &+ search.endProbes {
                probes[next].token = tokens[probes[next].place]
                next += 1
            }
        }
    }

    private mutating func narrow() {
        var next = 0
        var left = 0
        for place in 0..<active.count {
            let number = active[place]
            var search = searches[Int(number)]
            let isShared = search.first == search.end
            let token = search.token
            for probe in next..<next + Int(search.firstProbes) {
                search.first.narrow(probes[probe].index, isBeyond: probes[probe].token >= token)
                if isShared { search.end.narrow(probes[probe].index, isBeyond: probes[probe].token > token) }
            }
            next += Int(search.firstProbes)
            for probe in next..<next + Int(search.endProbes) {
                search.end.narrow(probes[probe].index, isBeyond: probes[probe].token > token)
            }
            next += Int(search.endProbes)
            searches[Int(number)] = search
            guard !search.isDone else { continue }
            active[left] = number
            left += 1
        }
        active.truncate(to: left)
    }
}

extension RangeSearch.Span {
    /// Records whether the wanted index is at most `index`, or above it.
    fileprivate mutating func narrow(_ index: UInt32, isBeyond: Bool) {
        if isBeyond { upper = min(upper, index) } else { lower = max(lower, index &+ 1) }
    }
}
