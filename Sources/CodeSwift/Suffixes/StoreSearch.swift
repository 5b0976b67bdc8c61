// Several suffix arrays, searched as one store.

package import InferTokenizers

/// Looks up patterns in all segments of a store and adds up their occurrences.
///
/// Look-ups are made in batches: ``request(_:by:)`` and ``request(_:)`` collect requests, ``findRequested(_:)`` and
/// ``readRequested(_:)`` answer them in the order of the requests.
package struct StoreSearch: ~Copyable {
    /// Patterns with at most this many occurrences are not cached, because looking them up is faster.
    private static let memorableCount = 4

    private let parts: [StoreSegment]
    private let views: UnsafeMutablePointer<SuffixView>
    /// Whether any position is excluded.
    let hasExclusions: Bool
    private let memo: PatternMemo

    private var spans = FlatList<Pattern.Span>(capacity: 256)
    /// Number of spans at the front that ``forgetOthers()`` keeps.
    private var keptCount = 0
    private var search = RangeSearch()

    /// A request: where a pattern continues with a token.
    struct Extension {
        var hash: UInt64
        /// Index of the first known span, or of the first search that will find it.
        var first: Int32
        var count: Int32
        var length: Int32
        var isKnown: Bool
        var isMemorable: Bool
    }

    private var extensions = FlatList<Extension>(capacity: 64)

    /// A request: what follows a pattern.
    struct Reading {
        var hash: UInt64
        var occurrences: Int
        /// Index in ``reads`` of its first occurrence. There are none if the answer was cached.
        var first: Int32
        var count: Int32
        /// The answer, if it was cached.
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

    /// A search in `parts` with an empty cache.
    package init(_ parts: [StoreSegment]) {
        self.parts = parts
        views = .allocate(capacity: max(parts.count, 1))
        for (number, part) in parts.enumerated() { (views + number).initialize(to: part.index.view) }
        hasExclusions = parts.contains { !$0.excluded.isEmpty }
        memo = PatternMemo(partCount: parts.count)
    }

    deinit { views.deallocate() }

    // MARK: Where patterns occur

    /// Moves the spans of `patterns` to the front, in this order, and forgets all others. The patterns must have been
    /// found since the last call: the first is a single token, each other one extends a pattern that was kept before.
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

    /// Forgets the spans of all patterns except those that were kept.
    mutating func forgetOthers() { spans.truncate(to: keptCount) }

    /// The pattern of a single token; nil if it does not occur.
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

    /// Requests the occurrences of `pattern` that continue with `token`.
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

    /// Answers the requests of ``request(_:by:)``: calls `body` with each pattern, or with nil if it does not occur.
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

    /// Requests the continuations of `pattern`.
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

    /// Adds the occurrences of `pattern` that have to be read to ``reads`` and returns their number.
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

    /// Answers the requests of ``request(_:)``: calls `body` with each answer and its continuations.
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
                // Samples can narrow later searches only if all are from one segment.
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

    /// Counts the continuations and keeps the most frequent ones; among equally frequent ones, those with lower ids.
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
                // Separators and invalid values in a damaged file are not tokens.
                guard read.token < views[part].tokens.separator else { continue }
                let token = TokenID(bitPattern: read.token)
                // Suffixes are sorted, so within one segment equal continuations are adjacent.
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
    /// The number of occurrences of each ending of `text`, from length 1 to the longest ending that occurs.
    package mutating func endingCounts(of text: [TokenID], maximumLength: Int) -> [Int] {
        var matcher = SuffixMatcher(maximumLength: maximumLength)
        matcher.reset(to: text, &self)
        return (0..<matcher.endings.count).map { matcher.endings[$0].count }
    }

    /// What follows the longest ending of `text` that occurs: the number of occurrences that are not excluded, and the
    /// most frequent continuations, at most ``PatternMemo/width``. Nil if the last token does not occur.
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

/// Tracks, while a text grows token by token, where each of its endings occurs: the last token, the last two tokens,
/// and so on up to the longest ending that occurs.
///
/// Each new token extends all endings in one batch of look-ups.
struct SuffixMatcher: ~Copyable {
    /// Maximum length of an ending.
    let maximumLength: Int
    /// The endings that occur, in order of length from 1. Their spans are at the front of the search's spans.
    private(set) var endings = FlatList<Pattern>(capacity: 32)
    private var next = FlatList<Pattern>(capacity: 32)

    /// A matcher for an empty text.
    init(maximumLength: Int = 24) { self.maximumLength = maximumLength }

    /// Starts a new text with `tokens`; only the last ``maximumLength`` matter.
    mutating func reset(to tokens: [TokenID], _ search: inout StoreSearch) {
        endings.truncate()
        search.keep(&endings)
        for token in tokens.suffix(maximumLength) { append(token, &search) }
    }

    /// Adds `token` to the text. Forgets the spans of all other patterns.
    mutating func append(_ token: TokenID, _ search: inout StoreSearch) {
        next.truncate()
        if let single = search.pattern(of: token) {
            next.append(single)
            for number in 0..<min(endings.count, maximumLength - 1) { search.request(endings[number], by: token) }
            var isComplete = false
            search.findRequested { pattern in
                // In an undamaged store, a longer ending occurs only where the shorter ones do.
                guard let pattern, !isComplete else { return isComplete = true }
                next.append(pattern)
            }
        }
        swap(&endings, &next)
        search.keep(&endings)
    }
}
