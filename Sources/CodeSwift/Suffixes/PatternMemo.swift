// Patterns, and a cache of the look-ups made for them.

import InferTokenizers

/// A sequence of tokens that occurs in a ``StoreSearch``.
struct Pattern: BitwiseCopyable {
    /// By which it is known.
    var hash: UInt64
    /// Where its spans are.
    var spans: Int
    /// Number of spans, one for each part that it occurs in.
    var spanCount: Int32
    /// Number of tokens.
    var length: Int32
    /// Number of occurrences in all parts.
    var count: Int

    /// The suffixes of one part that begin with a pattern.
    struct Span: BitwiseCopyable {
        var part: Int32
        var lower: UInt32
        var upper: UInt32

        var count: Int { Int(upper - lower) }
    }
}

/// Hashes that grow token by token, good enough to know a sequence by.
enum TokenHash {
    /// The hash of the sequence of one token.
    static func begin(_ token: TokenID) -> UInt64 { mix(UInt64(UInt32(bitPattern: token)) | 1 << 32) }

    /// The hash of a sequence with one more token.
    static func extend(_ hash: UInt64, _ token: TokenID) -> UInt64 { mix(hash ^ UInt64(UInt32(bitPattern: token))) }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ value >> 31) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }
}

/// Remembers where patterns occur and what follows them, those that do not occur among them. Code has many idioms, of which each
/// look-up takes dozens of reads from all over the memory, and the same ones come again every few steps.
///
/// Patterns are known by a hash: two that share one cost a draft, never an error. Fixed in size: a pattern replaces the one that
/// falls to the same place.
struct PatternMemo: ~Copyable {
    /// What follows a pattern.
    struct Answer: BitwiseCopyable {
        /// Occurrences that are served; those that end a document count.
        var served = 0
        /// Continuations, the most frequent first, in ``width`` places.
        var count = 0
        /// Whether the tokens of evenly spaced occurrences are remembered too.
        var hasSamples = false
    }

    /// A continuation, and how many of the occurrences go on so.
    struct Kept: BitwiseCopyable {
        var token: TokenID = 0
        var count: UInt32 = 0
    }

    /// Continuations kept of a pattern.
    static let width = 8

    struct Place: BitwiseCopyable {
        var hash: UInt64 = 0
        var spanCount: Int32 = 0
    }

    struct AnswerPlace: BitwiseCopyable {
        var hash: UInt64 = 0
        var answer = Answer()
    }

    private static let placeCount = 1 << 13
    private static let answerCount = 1 << 12

    private let partCount: Int
    private let places: UnsafeMutablePointer<Place>
    private let spans: UnsafeMutablePointer<Pattern.Span>
    private let answers: UnsafeMutablePointer<AnswerPlace>
    private let kept: UnsafeMutablePointer<Kept>
    private let samples: UnsafeMutablePointer<UInt32>

    /// An empty memory for a store of so many parts.
    init(partCount: Int) {
        self.partCount = max(partCount, 1)
        places = .allocate(capacity: Self.placeCount)
        places.initialize(repeating: Place(), count: Self.placeCount)
        spans = .allocate(capacity: Self.placeCount * self.partCount)
        spans.initialize(
            repeating: Pattern.Span(part: 0, lower: 0, upper: 0), count: Self.placeCount * self.partCount)
        answers = .allocate(capacity: Self.answerCount)
        answers.initialize(repeating: AnswerPlace(), count: Self.answerCount)
        kept = .allocate(capacity: Self.answerCount * Self.width)
        kept.initialize(repeating: Kept(), count: Self.answerCount * Self.width)
        samples = .allocate(capacity: Self.answerCount * SuffixIndex.sampleCount)
        samples.initialize(repeating: 0, count: Self.answerCount * SuffixIndex.sampleCount)
    }

    deinit {
        places.deallocate()
        spans.deallocate()
        answers.deallocate()
        kept.deallocate()
        samples.deallocate()
    }

    /// The spans of the pattern of `hash`, none where it is known not to occur; nil where nothing is known.
    func spans(_ hash: UInt64) -> UnsafeBufferPointer<Pattern.Span>? {
        let number = Int(truncatingIfNeeded: hash) & (Self.placeCount - 1)
        guard places[number].hash == hash else { return nil }
        return UnsafeBufferPointer(start: spans + number * partCount, count: Int(places[number].spanCount))
    }

    /// Remembers the spans of the pattern of `hash`, those of `list` in `range`.
    func insert(_ hash: UInt64, _ list: borrowing FlatList<Pattern.Span>, _ range: Range<Int>) {
        let number = Int(truncatingIfNeeded: hash) & (Self.placeCount - 1)
        places[number] = Place(hash: hash, spanCount: Int32(truncatingIfNeeded: range.count))
        for (place, index) in range.enumerated() { spans[number * partCount + place] = list[index] }
    }

    /// What follows the pattern of `hash`, if that is known, and the continuations.
    func answer(_ hash: UInt64) -> (Answer, UnsafeMutablePointer<Kept>)? {
        let number = Int(truncatingIfNeeded: hash) & (Self.answerCount - 1)
        guard answers[number].hash == hash else { return nil }
        return (answers[number].answer, kept + number * Self.width)
    }

    /// The tokens that follow ``SuffixIndex/sampleCount`` evenly spaced occurrences of the pattern of `hash`, if they are known.
    func samples(_ hash: UInt64) -> UnsafeMutablePointer<UInt32>? {
        let number = Int(truncatingIfNeeded: hash) & (Self.answerCount - 1)
        guard answers[number].hash == hash, answers[number].answer.hasSamples else { return nil }
        return samples + number * SuffixIndex.sampleCount
    }

    /// Remembers what follows the pattern of `hash`; with samples, ``samples(_:)`` is to be filled afterwards.
    func insert(_ hash: UInt64, _ answer: Answer, _ continuations: UnsafePointer<Kept>) {
        let number = Int(truncatingIfNeeded: hash) & (Self.answerCount - 1)
        answers[number] = AnswerPlace(hash: hash, answer: answer)
        (kept + number * Self.width).update(from: continuations, count: answer.count)
    }
}
