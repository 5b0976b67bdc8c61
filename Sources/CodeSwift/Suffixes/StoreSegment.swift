// A suffix array together with the positions that must not be offered.

package import InferTokenizers

/// One part of a store, as a drafter searches it.
package struct StoreSegment: Sendable {
    /// Tokens and suffixes.
    package let index: SuffixIndex
    /// Positions whose tokens are never offered.
    package var excluded: PositionSet

    /// A segment, all of it to be served unless `excluded` says otherwise.
    package init(_ index: SuffixIndex, excluded: PositionSet = PositionSet()) {
        self.index = index
        self.excluded = excluded
    }

    /// Excludes every stretch that also occurs in `text`, where the two agree in `length` tokens or more.
    package mutating func excludeCopies(of text: [TokenID], length: Int) {
        guard length > 0, text.count >= length else { return }
        for start in 0...(text.count - length) {
            guard let range = index.find(text[start..<start + length]) else { continue }
            for occurrence in range.lower..<range.upper {
                let position = index.position(occurrence)
                excluded.insert(position..<position + length)
            }
        }
    }
}

extension StoreSegment: Equatable {
    /// Whether both serve the same part of the same memory.
    package static func == (a: StoreSegment, b: StoreSegment) -> Bool {
        a.index.isSame(as: b.index) && a.excluded == b.excluded
    }
}

extension StoreSegment {
    /// Excludes long stretches that `text` has as well, such as the part of an open file that is in a prompt: the text itself is
    /// a source of guesses, and what is counted twice is trusted too much. What follows a stretch is still served.
    package mutating func excludeStretches(of text: [TokenID]) {
        // A stretch of twice that length, less one, holds one of the windows, wherever it begins.
        let window = 16
        for start in stride(from: 0, through: text.count - window, by: window) {
            // What occurs more often than this is no file but an idiom.
            guard let range = index.find(text[start..<start + window]), range.count <= 8 else { continue }
            for occurrence in range.lower..<range.upper {
                let position = index.position(occurrence)
                guard position < index.tokenCount, !excluded.contains(position) else { continue }
                var before = 0
                while before < min(start, position),
                    index.tokenAt(position - before - 1) == text[start - before - 1]
                {
                    before += 1
                }
                var after = window
                while start + after < text.count, index.tokenAt(position + after) == text[start + after] { after += 1 }
                if before + after >= 2 * window { excluded.insert(position - before..<position + after) }
            }
        }
    }
}

/// A set of positions, kept as disjoint ranges.
package struct PositionSet: Equatable, Sendable {
    /// Ascending and disjoint.
    package private(set) var ranges: [Range<Int>] = []

    package init() {}

    package var isEmpty: Bool { ranges.isEmpty }

    /// Number of positions in the set.
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// Adds the positions in `range`.
    package mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let first = firstRange { $0.upperBound >= range.lowerBound }
        let last = firstRange { $0.lowerBound > range.upperBound }
        var merged = range
        if first < last {
            merged =
                min(range.lowerBound, ranges[first].lowerBound)..<max(range.upperBound, ranges[last - 1].upperBound)
        }
        ranges.replaceSubrange(first..<last, with: CollectionOfOne(merged))
    }

    /// Whether `position` is in the set.
    package func contains(_ position: Int) -> Bool {
        let index = firstRange { $0.upperBound > position }
        return index < ranges.count && ranges[index].lowerBound <= position
    }

    /// Index of the first range for which `condition`, false and then true along the ranges, holds.
    private func firstRange(where condition: (Range<Int>) -> Bool) -> Int {
        var lower = 0
        var upper = ranges.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if condition(ranges[middle]) { upper = middle } else { lower = middle + 1 }
        }
        return lower
    }
}
