// A suffix array with parts that are not to be served.

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
