// Patterns, and a cache of the look-ups made for them.

import InferTokenizers

/// A token sequence that occurs in a ``StoreSearch``.
struct Pattern: BitwiseCopyable {
    /// The hash that identifies it.
    var hash: UInt64
    /// Index of its first span in the search.
    var spans: Int
    /// Number of spans: one for each segment in which it occurs.
    var spanCount: Int32
    /// Number of tokens.
    var length: Int32
    /// Number of occurrences in all segments.
    var count: Int

    /// The suffixes of one segment that begin with the pattern.
    struct Span: BitwiseCopyable {
        var part: Int32
        var lower: UInt32
        var upper: UInt32

        var count: Int { Int(upper - lower) }
    }
}

/// Hashes of token sequences that are extended token by token.
enum TokenHash {
    /// The hash of a single token.
    static func begin(_ token: TokenID) -> UInt64 { mix(UInt64(UInt32(bitPattern: token)) | 1 << 32) }

    /// The hash of a sequence extended by one token.
    static func extend(_ hash: UInt64, _ token: TokenID) -> UInt64 { mix(hash ^ UInt64(UInt32(bitPattern: token))) }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ value >> 31) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }
}

/// A cache of look-ups: where patterns occur and what follows them, including patterns that do not occur. A look-up
/// takes dozens of reads at unpredictable addresses, and the idioms of code come up again every few steps.
///
/// A pattern is identified by its hash. A collision can give a bad draft, never an error. The size is fixed: a pattern
/// replaces the one in the same slot.
struct PatternMemo: ~Copyable {
    /// What follows a pattern.
    struct Answer: BitwiseCopyable {
        /// Occurrences that are not excluded, including those at the end of a document.
        var served = 0
        /// Number of continuations, at most ``width``.
        var count = 0
        /// Whether the tokens after evenly spaced occurrences are stored too.
        var hasSamples = false
    }

    /// A continuation and the number of occurrences that it follows.
    struct Kept: BitwiseCopyable {
        var token: TokenID = 0
        var count: UInt32 = 0
    }

    /// Maximum number of continuations stored per pattern.
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

    /// An empty cache for a store of `partCount` segments.
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

    /// The spans of the pattern with this hash; empty if it is known not to occur, nil if nothing is known.
    func spans(_ hash: UInt64) -> UnsafeBufferPointer<Pattern.Span>? {
        let number = Int(truncatingIfNeeded: hash) & (Self.placeCount - 1)
        guard places[number].hash == hash else { return nil }
        return UnsafeBufferPointer(start: spans + number * partCount, count: Int(places[number].spanCount))
    }

    /// Stores the spans of the pattern with this hash: the elements of `list` in `range`.
    func insert(_ hash: UInt64, _ list: borrowing FlatList<Pattern.Span>, _ range: Range<Int>) {
        let number = Int(truncatingIfNeeded: hash) & (Self.placeCount - 1)
        places[number] = Place(hash: hash, spanCount: Int32(truncatingIfNeeded: range.count))
        for (place, index) in range.enumerated() { spans[number * partCount + place] = list[index] }
    }

    /// What follows the pattern with this hash, and the continuations; nil if unknown.
    func answer(_ hash: UInt64) -> (Answer, UnsafeMutablePointer<Kept>)? {
        let number = Int(truncatingIfNeeded: hash) & (Self.answerCount - 1)
        guard answers[number].hash == hash else { return nil }
        return (answers[number].answer, kept + number * Self.width)
    }

    /// The tokens after ``SuffixIndex/sampleCount`` evenly spaced occurrences of the pattern with this hash; nil if
    /// unknown.
    func samples(_ hash: UInt64) -> UnsafeMutablePointer<UInt32>? {
        let number = Int(truncatingIfNeeded: hash) & (Self.answerCount - 1)
        guard answers[number].hash == hash, answers[number].answer.hasSamples else { return nil }
        return samples + number * SuffixIndex.sampleCount
    }

    /// Stores what follows the pattern with this hash. If the answer has samples, the caller must then fill
    /// ``samples(_:)``.
    func insert(_ hash: UInt64, _ answer: Answer, _ continuations: UnsafePointer<Kept>) {
        let number = Int(truncatingIfNeeded: hash) & (Self.answerCount - 1)
        answers[number] = AnswerPlace(hash: hash, answer: answer)
        (kept + number * Self.width).update(from: continuations, count: answer.count)
    }
}
