// A suffix array together with the positions that must not be offered.

package import InferTokenizers

/// One segment of a store, as a drafter searches it.
package struct StoreSegment: Sendable {
    /// The tokens and their suffix array.
    package let index: SuffixIndex
    /// Positions of tokens that are never offered.
    package var excluded: PositionSet

    /// A segment that offers everything except `excluded`.
    package init(_ index: SuffixIndex, excluded: PositionSet = PositionSet()) {
        self.index = index
        self.excluded = excluded
    }

    /// Excludes every run of `length` or more tokens that also occurs in `text`.
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
    /// Whether both use the same memory and exclude the same positions.
    package static func == (a: StoreSegment, b: StoreSegment) -> Bool {
        a.index.isSame(as: b.index) && a.excluded == b.excluded
    }
}

extension StoreSegment {
    /// Excludes long runs that also occur in `text`, such as the part of an open file that is in a prompt. The text
    /// itself is a source of predictions, and evidence that is counted twice gets too much weight. The tokens after a
    /// run are still offered.
    package mutating func excludeStretches(of text: [TokenID]) {
        // A run of 2 × window − 1 tokens contains a whole window, wherever the run begins.
        let window = 16
        for start in stride(from: 0, through: text.count - window, by: window) {
            // A more frequent run is an idiom, not a copy of a file.
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

/// A set of positions, stored as disjoint ranges.
package struct PositionSet: Equatable, Sendable {
    /// In ascending order, disjoint.
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

    /// The index of the first range that satisfies `condition`, which must be false for a prefix of the ranges and true
    /// for the rest.
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
