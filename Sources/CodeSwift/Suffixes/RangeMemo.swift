// Answers of a suffix array that are asked for again and again.

import Tokenizers

/// Remembers what look-ups of ranges in one suffix array gave. Of an idiom's ranges, of which code has many, each look-up
/// takes dozens of reads from all over the memory; the same ones come again every few steps. And where the continuations of
/// a range are known, so are the ranges that they lead to.
///
/// Fixed in size: a range replaces the one that falls to the same place.
final class RangeMemo {
    private struct Refinement {
        var range = SuffixRange(lower: -1, upper: 0, length: 0)
        var token: TokenID = 0
        /// Empty where the range does not go on with the token.
        var lower: UInt32 = 0
        var upper: UInt32 = 0
    }

    private struct Answer {
        var range = SuffixRange(lower: -1, upper: 0, length: 0)
        /// Occurrences that are served.
        var occurrences = 0
        var count: Int32 = 0
        /// Whether these are all continuations, with the exact ranges that they lead to.
        var isComplete = false
    }

    private struct Kept {
        var token: TokenID = 0
        var count: UInt32 = 0
        var lower: UInt32 = 0
        var upper: UInt32 = 0
    }

    /// Continuations kept of a range.
    static let width = 8

    private static let refinementCount = 1 << 12
    private static let answerCount = 1 << 11

    private let index: SuffixIndex
    private let excluded: PositionSet?
    private let refinements: UnsafeMutablePointer<Refinement>
    private let answers: UnsafeMutablePointer<Answer>
    private let kept: UnsafeMutablePointer<Kept>

    /// A memory of look-ups in `index`, of which the positions `excluded` are not served.
    init(_ index: SuffixIndex, excluding excluded: PositionSet? = nil) {
        self.index = index
        self.excluded = excluded
        refinements = .allocate(capacity: Self.refinementCount)
        refinements.initialize(repeating: Refinement(), count: Self.refinementCount)
        answers = .allocate(capacity: Self.answerCount)
        answers.initialize(repeating: Answer(), count: Self.answerCount)
        kept = .allocate(capacity: Self.answerCount * Self.width)
        kept.initialize(repeating: Kept(), count: Self.answerCount * Self.width)
    }

    deinit {
        refinements.deallocate()
        answers.deallocate()
        kept.deallocate()
    }

    /// Those of the occurrences in `range` that go on with `token`.
    func refine(_ range: SuffixRange, by token: TokenID) -> SuffixRange? {
        if range.count == 1 { return index.refine(range, by: token) }
        let number = Self.hash(range, 0) & (Self.answerCount - 1)
        if answers[number].range == range, answers[number].isComplete {
            for place in number * Self.width..<number * Self.width + Int(answers[number].count)
            where kept[place].token == token {
                return SuffixRange(
                    lower: Int(kept[place].lower), upper: Int(kept[place].upper), length: range.length + 1)
            }
            return nil
        }
        let slot = refinements + Self.hash(range, UInt64(UInt32(bitPattern: token)) + 1) & (Self.refinementCount - 1)
        if slot.pointee.range != range || slot.pointee.token != token {
            let longer = index.refine(range, by: token)
            slot.pointee = Refinement(
                range: range, token: token, lower: UInt32(truncatingIfNeeded: longer?.lower ?? 0),
                upper: UInt32(truncatingIfNeeded: longer?.upper ?? 0))
        }
        let (lower, upper) = (Int(slot.pointee.lower), Int(slot.pointee.upper))
        return lower < upper ? SuffixRange(lower: lower, upper: upper, length: range.length + 1) : nil
    }

    /// How many of the occurrences in `range` are served; those that end a document count.
    func occurrences(_ range: SuffixRange) -> Int {
        guard let excluded else { return range.count }
        if range.count > 1 { return answers[answer(range)].occurrences }
        return excluded.contains(index.position(range.lower) &+ range.length) ? 0 : 1
    }

    /// Adds the most frequent continuations of the occurrences in `range`, up to `limit`, which is at most ``width``.
    func addFollowings(of range: SuffixRange, limit: Int, to followings: inout FollowingList) {
        if range.count == 1 {
            if let token = index.continuation(of: range, excluding: excluded) { followings.append(token, count: 1) }
            return
        }
        let number = answer(range)
        for place in number * Self.width..<number * Self.width + min(limit, Int(answers[number].count))
        where kept[place].count > 0 {
            followings.append(kept[place].token, count: Int(kept[place].count))
        }
    }

    /// Where the answer about `range` is, which is looked up if need be.
    private func answer(_ range: SuffixRange) -> Int {
        let number = Self.hash(range, 0) & (Self.answerCount - 1)
        if answers[number].range != range { answers[number] = read(range, kept + number * Self.width) }
        return number
    }

    /// Reads the continuations of `range`, and keeps the most frequent of them, of equally frequent ones the lower tokens.
    private func read(_ range: SuffixRange, _ kept: UnsafeMutablePointer<Kept>) -> Answer {
        var answer = Answer(range: range)
        var distinct = 0
        answer.occurrences = index.readContinuations(of: range, excluding: excluded) { token, count, suffixes in
            distinct += 1
            var place = Int(answer.count)
            if place < Self.width {
                answer.count += 1
            } else {
                place -= 1
                guard count > kept[place].count else { return }
            }
            while place > 0, kept[place - 1].count < count {
                kept[place] = kept[place - 1]
                place -= 1
            }
            kept[place] = Kept(
                token: token, count: UInt32(truncatingIfNeeded: count),
                lower: UInt32(truncatingIfNeeded: suffixes.lowerBound),
                upper: UInt32(truncatingIfNeeded: suffixes.upperBound))
        }
        answer.isComplete = distinct <= Self.width && range.count <= SuffixIndex.exhaustiveLimit
        return answer
    }

    private static func hash(_ range: SuffixRange, _ token: UInt64) -> Int {
        let key = UInt64(truncatingIfNeeded: range.lower) << 24 ^ token << 8 ^ UInt64(truncatingIfNeeded: range.length)
        let product = (key ^ key >> 31) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> 40)
    }
}
