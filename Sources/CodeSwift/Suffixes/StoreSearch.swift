// Several suffix arrays, searched as one store.

package import InferTokenizers

/// Patterns in the parts of a store, their occurrences counted together.
///
/// Look-ups are gathered and made at once: ``request(_:by:)`` or ``request(_:)`` says what is wanted and ``findRequested()`` or
/// ``readRequested()`` finds it, in the order of the requests.
package struct StoreSearch: ~Copyable {
    /// Patterns of so few occurrences are looked up faster than remembered.
    private static let memorableCount = 4

    private let parts: [StoreSegment]
    private let views: UnsafeMutablePointer<SuffixView>
    /// Whether there is anything that is not served.
    let hasExclusions: Bool
    private let memo: PatternMemo

    private var spans = FlatList<Pattern.Span>(capacity: 256)
    /// Spans at the front that are not forgotten.
    private var keptCount = 0
    private var search = RangeSearch()

    /// A request for where a pattern goes on with a token.
    struct Extension {
        var hash: UInt64
        /// Where the spans are that were known, or the searches that will find them.
        var first: Int32
        var count: Int32
        var length: Int32
        var isKnown: Bool
        var isMemorable: Bool
    }

    private var extensions = FlatList<Extension>(capacity: 64)

    /// A request for what follows a pattern.
    struct Reading {
        var hash: UInt64
        var occurrences: Int
        /// Where in ``reads`` its occurrences are; none where the answer was known.
        var first: Int32
        var count: Int32
        /// The answer, if it was known.
        var answer: PatternMemo.Answer
    }

    struct Read {
        var part: Int32
        var token: UInt32 = 0
        var place: Int
    }

    private var readings = FlatList<Reading>(capacity: 64)
    private var reads = FlatList<Read>(capacity: 512)
    private var kept = FlatList<PatternMemo.Kept>(capacity: 256)

    /// A search in `parts`, of which nothing is remembered yet.
    package init(_ parts: [StoreSegment]) {
        self.parts = parts
        views = .allocate(capacity: max(parts.count, 1))
        for (number, part) in parts.enumerated() { (views + number).initialize(to: part.index.view) }
        hasExclusions = parts.contains { !$0.excluded.isEmpty }
        memo = PatternMemo(partCount: parts.count)
    }

    deinit { views.deallocate() }

    // MARK: Where patterns occur

    /// Moves the spans of `patterns` to the front of all, in their order, and forgets the others. Only patterns that were found
    /// since, each an extension of one that was kept before, or a single token, the first.
    mutating func keep(_ patterns: inout FlatList<Pattern>) {
        var end = 0
        for number in 0..<patterns.count {
            let first = patterns[number].spans
            patterns[number].spans = end
            for index in first..<first + Int(patterns[number].spanCount) {
                spans[end] = spans[index]
                end += 1
            }
        }
        keptCount = end
        forgetOthers()
    }

    /// Forgets the spans of all patterns but those that were kept.
    mutating func forgetOthers() { spans.truncate(to: keptCount) }

    /// The pattern of one token; nil where it does not occur.
    mutating func pattern(of token: TokenID) -> Pattern? {
        var pattern = Pattern(hash: TokenHash.begin(token), spans: spans.count, spanCount: 0, length: 1, count: 0)
        for part in 0..<parts.count {
            let bucket = views[part].bucket(token)
            guard !bucket.isEmpty else { continue }
            add(
                Pattern.Span(
                    part: Int32(truncatingIfNeeded: part), lower: UInt32(truncatingIfNeeded: bucket.lowerBound),
                    upper: UInt32(truncatingIfNeeded: bucket.upperBound)), to: &pattern)
        }
        return pattern.count > 0 ? pattern : nil
    }

    private mutating func add(_ span: Pattern.Span, to pattern: inout Pattern) {
        spans.append(span)
        pattern.spanCount += 1
        pattern.count += span.count
    }

    /// Asks where `pattern` goes on with `token`.
    mutating func request(_ pattern: Pattern, by token: TokenID) {
        let hash = TokenHash.extend(pattern.hash, token)
        var request = Extension(
            hash: hash, first: 0, count: 0, length: pattern.length + 1, isKnown: false,
            isMemorable: pattern.count > Self.memorableCount)
        if request.isMemorable, let known = memo.spans(hash) {
            request.isKnown = true
            request.first = Int32(truncatingIfNeeded: spans.count)
            request.count = Int32(truncatingIfNeeded: known.count)
            for span in known { spans.append(span) }
        } else if token >= 0 {
            request.first = Int32(truncatingIfNeeded: search.count)
            request.count = pattern.spanCount
            for index in pattern.spans..<pattern.spans + Int(pattern.spanCount) {
                let span = spans[index]
                var wanted = RangeSearch.Search(
                    segment: span.part, offset: pattern.length, token: UInt32(bitPattern: token),
                    lower: span.lower, upper: span.upper)
                if parts.count == 1, pattern.count > SuffixIndex.exhaustiveLimit,
                    let samples = memo.samples(pattern.hash)
                {
                    wanted.narrow(samples, count: SuffixIndex.sampleCount)
                }
                search.add(wanted)
            }
        }
        extensions.append(request)
    }

    /// Finds what was requested and calls `body` with each pattern, nil for those that do not occur.
    mutating func findRequested(_ body: (Pattern?) -> Void) {
        search.run(views)
        for number in 0..<extensions.count {
            let request = extensions[number]
            var pattern = Pattern(
                hash: request.hash, spans: spans.count, spanCount: 0, length: request.length, count: 0)
            if request.isKnown {
                pattern.spans = Int(request.first)
                pattern.spanCount = request.count
                for index in pattern.spans..<pattern.spans + Int(request.count) { pattern.count += spans[index].count }
            } else {
                for place in Int(request.first)..<Int(request.first) + Int(request.count) {
                    let found = search[place]
                    guard found.result.count > 0, found.token < views[Int(found.segment)].tokens.separator else {
                        continue
                    }
                    add(
                        Pattern.Span(part: found.segment, lower: found.result.lower, upper: found.result.upper),
                        to: &pattern)
                }
                if request.isMemorable { memo.insert(request.hash, spans, pattern.spans..<spans.count) }
            }
            body(pattern.count > 0 ? pattern : nil)
        }
        search.removeAll()
        extensions.truncate()
    }

    // MARK: What follows them

    /// Asks what follows `pattern`.
    mutating func request(_ pattern: Pattern) {
        var request = Reading(
            hash: pattern.hash, occurrences: pattern.count, first: Int32(truncatingIfNeeded: reads.count), count: 0,
            answer: PatternMemo.Answer())
        let place = kept.count
        for _ in 0..<PatternMemo.width { kept.append(PatternMemo.Kept()) }
        if let (answer, continuations) = memo.answer(pattern.hash) {
            request.answer = answer
            for number in 0..<answer.count { kept[place + number] = continuations[number] }
        } else {
            request.count = gatherReads(pattern)
        }
        readings.append(request)
    }

    /// Notes which occurrences of `pattern` are to be read, and returns their number.
    private mutating func gatherReads(_ pattern: Pattern) -> Int32 {
        let count = pattern.count > SuffixIndex.exhaustiveLimit ? SuffixIndex.sampleCount : pattern.count
        var span = pattern.spans
        var before = 0
        for number in 0..<count {
            let occurrence = count == pattern.count ? number : pattern.count * number / count
            while occurrence - before >= spans[span].count {
                before += spans[span].count
                span += 1
            }
            let index = Int(spans[span].lower) + occurrence - before
            let place = views[Int(spans[span].part)].position(index) &+ Int(pattern.length)
            reads.append(Read(part: spans[span].part, place: place))
        }
        return Int32(truncatingIfNeeded: count)
    }

    /// Finds what was requested and calls `body` with each answer and its continuations.
    mutating func readRequested(_ body: (PatternMemo.Answer, UnsafePointer<PatternMemo.Kept>) -> Void) {
        for number in 0..<reads.count {
            reads[number].token = views[Int(reads[number].part)].tokens[reads[number].place]
        }
        for number in 0..<readings.count {
            let request = readings[number]
            let kept = kept.pointer(at: number * PatternMemo.width)
            var answer = request.answer
            if request.count > 0 {
                answer = tally(request, kept)
                // Samples narrow later searches, where they are all of one part.
                answer.hasSamples = request.occurrences > Int(request.count) && parts.count == 1
                memo.insert(request.hash, answer, kept)
                if let samples = memo.samples(request.hash) {
                    for read in 0..<Int(request.count) { samples[read] = reads[Int(request.first) + read].token }
                }
            }
            body(answer, kept)
        }
        readings.truncate()
        reads.truncate()
        kept.truncate()
    }

    /// Counts continuations, and keeps the most frequent, of equally frequent ones the lower tokens.
    private func tally(_ request: Reading, _ kept: UnsafeMutablePointer<PatternMemo.Kept>) -> PatternMemo.Answer {
        let count = Int(request.count)
        var answer = PatternMemo.Answer()
        withUnsafeTemporaryAllocation(of: PatternMemo.Kept.self, capacity: count) { distinct in
            var distinctCount = 0
            for number in Int(request.first)..<Int(request.first) + count {
                let read = reads[number]
                let part = Int(read.part)
                if hasExclusions, parts[part].excluded.contains(read.place) { continue }
                answer.served += 1
                // Nothing after a separator, and nothing a damaged file makes up, is a token.
                guard read.token < views[part].tokens.separator else { continue }
                let token = TokenID(bitPattern: read.token)
                // Suffixes are sorted, so that those of one part come one after the other.
                var place = distinctCount - 1
                while place >= 0, distinct[place].token != token { place = parts.count == 1 ? -1 : place - 1 }
                if place < 0 {
                    place = distinctCount
                    distinct[place] = PatternMemo.Kept(token: token)
                    distinctCount += 1
                }
                distinct[place].count += 1
            }
            for number in 0..<distinctCount { Self.insert(distinct[number], kept, &answer.count) }
        }
        if request.occurrences > count {
            answer.served = answer.served * request.occurrences / count
            for number in 0..<answer.count {
                kept[number].count = UInt32(
                    truncatingIfNeeded: Int(kept[number].count) * request.occurrences / count)
            }
        }
        return answer
    }

    private static func insert(
        _ new: PatternMemo.Kept, _ kept: UnsafeMutablePointer<PatternMemo.Kept>, _ count: inout Int
    ) {
        func precedes(_ other: PatternMemo.Kept) -> Bool {
            new.count > other.count || (new.count == other.count && new.token < other.token)
        }
        var place = count
        if place < PatternMemo.width {
            count += 1
        } else {
            place -= 1
            guard precedes(kept[place]) else { return }
        }
        while place > 0, precedes(kept[place - 1]) {
            kept[place] = kept[place - 1]
            place -= 1
        }
        kept[place] = new
    }
}

extension StoreSearch {
    /// How often each ending of `text` occurs, that of length 1 first, up to the longest that occurs.
    package mutating func endingCounts(of text: [TokenID], maximumLength: Int) -> [Int] {
        var matcher = SuffixMatcher(maximumLength: maximumLength)
        matcher.reset(to: text, &self)
        return (0..<matcher.endings.count).map { matcher.endings[$0].count }
    }

    /// What follows the longest ending of `text` that occurs: how many of the occurrences are served, and of their continuations
    /// the most frequent, at most ``PatternMemo/width``; nil where not even the last token occurs.
    package mutating func continuations(
        of text: [TokenID], maximumLength: Int
    ) -> (served: Int, continuations: [Continuation])? {
        var matcher = SuffixMatcher(maximumLength: maximumLength)
        matcher.reset(to: text, &self)
        guard !matcher.endings.isEmpty else { return nil }
        request(matcher.endings[matcher.endings.count - 1])
        var served = 0
        var found: [Continuation] = []
        readRequested { answer, kept in
            served = answer.served
            found = (0..<answer.count).map { Continuation(token: kept[$0].token, count: Int(kept[$0].count)) }
        }
        return (served, found)
    }
}

/// Keeps, while a text grows token by token, where each of its endings occurs: the last token, the last two, and so on up to the
/// longest ending that occurs.
///
/// A token extends each ending by itself, all of them in one batch of look-ups.
struct SuffixMatcher: ~Copyable {
    /// The longest ending that is looked for.
    let maximumLength: Int
    /// The endings that occur, that of length 1 first. Their spans come first in the search.
    private(set) var endings = FlatList<Pattern>(capacity: 32)
    private var next = FlatList<Pattern>(capacity: 32)

    /// A matcher at the beginning of a text.
    init(maximumLength: Int = 24) { self.maximumLength = maximumLength }

    /// Begins a new text with `tokens`; only their end is looked at.
    mutating func reset(to tokens: [TokenID], _ search: inout StoreSearch) {
        endings.truncate()
        search.keep(&endings)
        // What lies further back cannot be part of an ending.
        for token in tokens.suffix(maximumLength) { append(token, &search) }
    }

    /// Goes on with `token`. Forgets the spans of all other patterns.
    mutating func append(_ token: TokenID, _ search: inout StoreSearch) {
        next.truncate()
        if let single = search.pattern(of: token) {
            next.append(single)
            for number in 0..<min(endings.count, maximumLength - 1) { search.request(endings[number], by: token) }
            var isComplete = false
            search.findRequested { pattern in
                // Longer endings occur only where shorter ones do, in a store that is not damaged.
                guard let pattern, !isComplete else { return isComplete = true }
                next.append(pattern)
            }
        }
        swap(&endings, &next)
        search.keep(&endings)
    }
}
