// Many binary searches in suffix arrays, run side by side.

/// Narrows ranges of suffixes to those that go on with a token, any number of them side by side.
///
/// Each probe of a search takes a read of the suffix array and one of the tokens, both from all over the memory and beside a
/// running model in no cache. Such reads take long one after the other, but a processor has dozens under way at a time. So all
/// searches advance together, a round of probes for all of them, and the fewer there are the more probes each has.
struct RangeSearch: ~Copyable {
    /// What is wanted, and then found.
    struct Search {
        /// Number of the suffix array.
        var segment: Int32
        /// Tokens that the suffixes share.
        var offset: Int32
        var token: UInt32
        /// The first suffix whose token is not smaller is one of these, or the one after them.
        var first: Span
        /// The same of the first suffix whose token is larger.
        var end: Span
        /// Probes of the running round.
        fileprivate var firstProbes: Int32 = 0
        fileprivate var endProbes: Int32 = 0

        /// The search for the suffixes that have `token` after `offset` tokens, among those from `lower` to below `upper`.
        init(segment: Int32, offset: Int32, token: UInt32, lower: UInt32, upper: UInt32) {
            self.segment = segment
            self.offset = offset
            self.token = token
            first = Span(lower: lower, upper: upper)
            end = first
        }

        /// Learns the tokens at `count` evenly spaced suffixes, the first of all among them.
        mutating func narrow(_ tokens: UnsafePointer<UInt32>, count: Int) {
            let all = first
            for number in 0..<count {
                let index = all.lower &+ UInt32(truncatingIfNeeded: all.count * number / count)
                first.narrow(index, isBeyond: tokens[number] >= token)
                end.narrow(index, isBeyond: tokens[number] > token)
            }
        }

        /// What was found; none where the end is not above the start.
        var result: Span { Span(lower: first.lower, upper: end.lower) }

        fileprivate var isDone: Bool { first.isEmpty && end.isEmpty }
    }

    /// Indices from one to below another.
    struct Span: Equatable {
        var lower: UInt32
        var upper: UInt32

        var isEmpty: Bool { lower >= upper }
        var count: Int { upper > lower ? Int(upper - lower) : 0 }

        /// How far apart `probes` of them are when they are evenly spaced, the first so far from the start.
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

    /// Probes that are under way at a time; a processor keeps some dozens of reads in flight.
    private static let breadth = 32
    /// Most probes of one search and round.
    private static let mostProbes = 15

    /// Number of searches.
    var count: Int { searches.count }

    /// What has become of a search.
    subscript(number: Int) -> Search { searches[number] }

    /// Forgets all searches.
    mutating func removeAll() { searches.truncate() }

    /// Adds a search, whose number is that of those before.
    mutating func add(_ search: Search) { searches.append(search) }

    /// Brings all searches to their end.
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
            // As long as nothing tells the two ends apart, one set of probes does for both.
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

    /// Adds `count` probes of `span`, not more than it has indices.
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
    /// Learns that the wanted index is not above `index`, or that it is.
    fileprivate mutating func narrow(_ index: UInt32, isBeyond: Bool) {
        if isBeyond { upper = min(upper, index) } else { lower = max(lower, index &+ 1) }
    }
}
