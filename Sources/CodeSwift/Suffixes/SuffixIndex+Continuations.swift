// What comes after a pattern.

import Tokenizers

extension SuffixIndex {
    /// Ranges up to this size are read whole.
    static let exhaustiveLimit = 48
    /// Suffixes read of a larger range, evenly spaced.
    private static let sampleCount = 32

    /// Appends the most frequent continuations of the occurrences in `range` to `result`, most frequent first, then by
    /// token. Tokens at positions in `excluded` do not count.
    ///
    /// Of ranges of more than 48 occurrences 32 are read, which takes the same time for any store: the counts are
    /// estimates then, and rare continuations can be missing.
    ///
    /// - Parameter limit: The most to append.
    package func continuations(
        of range: SuffixRange, limit: Int, excluding excluded: PositionSet? = nil, into result: inout [Continuation]
    ) {
        let start = result.count
        readContinuations(of: range, excluding: excluded) { token, count, _ in
            if count > 0 { result.append(Continuation(token: token, count: count)) }
        }
        guard result.count - start > 1 else { return }
        result[start...].sort { ($0.count, $1.token) > ($1.count, $0.token) }
        if result.count - start > limit { result.removeLast(result.count - start - limit) }
    }

    /// Calls `body` with the continuations of the occurrences in `range`, by token: how many are served, and where the suffixes
    /// that go on so begin and end among those that were read, which is exact where all are read.
    ///
    /// - Returns: How many of the occurrences are served, or end a document.
    @discardableResult
    func readContinuations(
        of range: SuffixRange, excluding excluded: PositionSet?, _ body: (TokenID, Int, Range<Int>) -> Void
    ) -> Int {
        let isSample = range.count > Self.exhaustiveLimit
        let reads = isSample ? Self.sampleCount : range.count
        func suffix(_ read: Int) -> Int { range.lower + (isSample ? range.count * read / reads : read) }
        return withUnsafeTemporaryAllocation(of: Int.self, capacity: reads) { places in
            // The reads are from all over the memory; nothing here waits for one before it asks for the next.
            for read in 0..<reads { places[read] = position(suffix(read)) &+ range.length }
            var (current, count, lower, served) = (tokens.separator, 0, 0, 0)
            func finish(_ upper: Int) {
                guard current < tokens.separator else { return }
                body(TokenID(bitPattern: current), isSample ? count * range.count / reads : count, lower..<upper)
            }
            // Suffixes are sorted, so equal continuations are neighbours.
            for read in 0..<reads {
                // Nothing after a separator, and nothing a damaged file makes up, is a token.
                let next = min(tokens[places[read]], tokens.separator)
                if next != current {
                    finish(suffix(read))
                    (current, count, lower) = (next, 0, suffix(read))
                }
                if excluded?.contains(places[read]) != true {
                    count += 1
                    served += 1
                }
            }
            finish(range.upper)
            return isSample ? served * range.count / reads : served
        }
    }

    /// What follows the only occurrence in `range`; nil where a document ends there.
    func continuation(of range: SuffixRange, excluding excluded: PositionSet?) -> TokenID? {
        let place = position(range.lower) &+ range.length
        let next = tokens[place]
        return next < tokens.separator && excluded?.contains(place) != true ? TokenID(bitPattern: next) : nil
    }
}
