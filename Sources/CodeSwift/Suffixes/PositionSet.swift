// Positions of a token sequence that are not to be served.

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
