// Which tokens each row of a forward step sees.

/// The rows that one sequence has in a step, as a tree over the tokens already in its cache.
///
/// Row i occupies cache slot `committed + i`. It sees the committed tokens, its ancestors in the step, and itself. Its
/// logical position, which RoPE and windows go by, is `committed` plus its depth, whatever its slot.
package struct SegmentLayout: Sendable {
    /// Tokens in slots 0..<committed, at the positions of the same number: the past all rows share.
    package let committed: Int
    /// Rows of the step.
    package let count: Int
    /// Depth of each row; a row without parent has depth 0.
    package let depths: [Int32]
    /// For a tree: the rows on the path from the root to row i, in depth order and ending with i, are
    /// `paths[pathStarts[i]..<pathStarts[i + 1]]`. Empty for a chain, in which row i's path is 0…i.
    package let paths: [Int32]
    /// See ``paths``.
    package let pathStarts: [Int32]

    /// A chain: each row follows the one before.
    package init(chain count: Int, after committed: Int) {
        self.committed = committed
        self.count = count
        depths = (0..<Int32(count)).map { $0 }
        paths = []
        pathStarts = []
    }

    /// A tree. `parents[i]` is the row that row i follows, less than i; −1 when row i follows the committed tokens.
    package init(parents: [Int32], after committed: Int) {
        let isChain = parents.enumerated().allSatisfy { $1 == Int32($0) - 1 }
        if isChain {
            self = SegmentLayout(chain: parents.count, after: committed)
            return
        }
        var depths: [Int32] = []
        var paths: [Int32] = []
        var starts: [Int32] = [0]
        for (row, parent) in parents.enumerated() {
            if parent >= 0 {
                let parent = Int(parent)
                depths.append(depths[parent] + 1)
                paths += paths[Int(starts[parent])..<Int(starts[parent + 1])]
            } else {
                depths.append(0)
            }
            paths.append(Int32(row))
            starts.append(Int32(paths.count))
        }
        self.committed = committed
        count = parents.count
        self.depths = depths
        self.paths = paths
        pathStarts = starts
    }

    /// Rows of which each sees just the slots that `slots` names for it, in the order of their logical positions: at least one, in
    /// ascending order. The positions count the slots that a row sees, not the tokens between them.
    package init(slots: [[Int32]]) {
        committed = 0
        count = slots.count
        depths = slots.map { Int32($0.count - 1) }
        paths = slots.flatMap { $0 }
        pathStarts = slots.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1.count)) }
    }

    /// The end of the slots that some of `rows` see.
    package func slotEnd(of rows: Range<Int>) -> Int {
        if isChain { return committed + rows.upperBound }
        // The last token that a row sees has the largest slot.
        return committed + rows.reduce(0) { max($0, Int(paths[Int(pathStarts[$1 + 1]) - 1]) + 1) }
    }

    /// Whether every row follows the one before, so that slots are logical positions.
    package var isChain: Bool { pathStarts.isEmpty }

    /// The rows from the root down to `row`, itself included.
    package func path(to row: Int) -> [Int] {
        isChain ? Array(0...row) : paths[Int(pathStarts[row])..<Int(pathStarts[row + 1])].map(Int.init)
    }

    /// The row `age` generations above row `row`, at most its depth.
    package func ancestor(of row: Int, _ age: Int) -> Int {
        isChain ? row - age : Int(paths[Int(pathStarts[row + 1]) - 1 - age])
    }

    /// The row that row `row` follows; −1 for the tokens so far.
    package func parent(of row: Int) -> Int { depths[row] == 0 ? -1 : ancestor(of: row, 1) }

    /// The logical position of row `row`.
    package func position(of row: Int) -> Int { committed + Int(depths[row]) }
}

/// One sequence's rows in a step, as attention sees them.
package struct AttentionSegment {
    /// The segment's rows are rows `firstRow ..< firstRow + layout.count` of the step's activations.
    package let firstRow: Int
    /// Which tokens each of them sees.
    package let layout: SegmentLayout
    /// The keys and values of the sequence.
    package let cache: KVCache

    /// The rows from `firstRow` on.
    package init(firstRow: Int, layout: SegmentLayout, cache: KVCache) {
        self.firstRow = firstRow
        self.layout = layout
        self.cache = cache
    }

    /// Rows of the step's activations.
    package var rows: Range<Int> { firstRow..<firstRow + layout.count }
}
