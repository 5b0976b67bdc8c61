// Attention of one step in one layer, item by item: some rows × some heads that share keys and values.

/// Everything the items of one call of attention have in common.
///
/// Two passes over logical positions: all scores first, then softmax over them in their logical order, then the values
/// in that order. A position's slot only says where its key and value are read from, so a tree's row gives the bits its
/// committed counterpart gives.
struct AttentionStep {
    let queries: Activations
    let outputs: Activations
    let layout: StepLayout
    let cache: CPUKeyValueCache
    let layer: Int
    let parameters: AttentionParameters
    let kernels: any KernelSet
    let product: ProductKernel

    /// Positions whose keys or values stay in the cache while all queries of an item use them.
    private static let block = 128

    /// First position row `row` sees.
    private func firstPosition(_ row: Int) -> Int {
        guard let window = parameters.window else { return 0 }
        return max(0, layout.position(of: row) + 1 - window)
    }

    /// Computes `rows` × `heads`, all of which read key–value head `keyValueHead`.
    func attend(rows: Range<Int>, heads: Range<Int>, keyValueHead: Int, _ scratch: AttentionScratch) {
        let first = rows.reduce(Int.max) { min($0, firstPosition($1)) }
        // Scores are laid out by position from here on; in a tree a window may begin inside the step, whose slots are
        // not positions.
        let base = layout.isChain ? first : min(first, layout.committed)
        let item = Item(rows: rows, heads: heads, keyValueHead: keyValueHead, base: base, scratch: scratch)
        loadQueries(item)
        score(item)
        if !layout.isChain { arrange(item) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: item.count) { sums in
            normalise(item, sums)
            accumulate(item)
            store(item, sums)
        }
    }

    /// The queries and working memory of one item; query (row, head) has index (row − first row) · heads + (head −
    /// first head).
    private struct Item {
        let rows: Range<Int>
        let heads: Range<Int>
        let keyValueHead: Int
        /// Position, or slot, of the first score.
        let base: Int
        let scratch: AttentionScratch

        var count: Int { rows.count * heads.count }

        func query(_ row: Int, _ head: Int) -> Int {
            (row - rows.lowerBound) * heads.count + head - heads.lowerBound
        }
    }

    private func loadQueries(_ item: Item) {
        let dimension = cache.shape.keyDimension
        let format: InputFormat = cache.shape.type == .q8_0 ? .blocks32 : .float
        for row in item.rows {
            for head in item.heads {
                kernels.quantize(
                    dimension, queries.row(row) + head * dimension, as: format,
                    into: item.scratch.query(item.query(row, head)))
            }
        }
    }

    /// Scores of all slots any row of the item may see; those a row does not see are never read.
    private func score(_ item: Item) {
        let end = layout.committed + item.rows.upperBound
        for slot in stride(from: item.base, to: end, by: Self.block) {
            product(
                Product(
                    k: cache.shape.keyDimension, rows: min(Self.block, end - slot),
                    weights: cache.key(layer: layer, head: item.keyValueHead, slot: slot),
                    weightStride: cache.keyBytes, columns: item.count, inputs: item.scratch.query(0),
                    inputStride: item.scratch.queryStride, outputs: item.scratch.scores(0) + (slot - item.base),
                    outputStride: item.scratch.scoreStride))
        }
    }

    /// Brings the scores of each row's ancestors into the order of their depths. An ancestor's row number is at least
    /// its depth, so ascending copies read nothing that was overwritten.
    private func arrange(_ item: Item) {
        for row in item.rows {
            let path = layout.paths[Int(layout.pathStarts[row])..<Int(layout.pathStarts[row + 1])]
            for head in item.heads {
                let scores = item.scratch.scores(item.query(row, head)) + (layout.committed - item.base)
                for (depth, ancestor) in path.enumerated() { scores[depth] = scores[Int(ancestor)] }
            }
        }
    }

    private func normalise(_ item: Item, _ sums: UnsafeMutableBufferPointer<Float>) {
        for row in item.rows {
            let first = firstPosition(row)
            let count = layout.position(of: row) + 1 - first
            for head in item.heads {
                let query = item.query(row, head)
                sums[query] = kernels.softmax(
                    count, item.scratch.scores(query) + (first - item.base), scale: parameters.scale,
                    cap: parameters.softCap ?? 0, sink: parameters.sinks?.values[head] ?? -.infinity)
            }
        }
    }

    /// Weighted sums of values in the order of positions: what only some rows see before and after what all see.
    private func accumulate(_ item: Item) {
        for query in 0..<item.count {
            item.scratch.output(query).update(repeating: 0, count: cache.shape.valueDimension)
        }
        let firstRow = item.rows.lowerBound
        let start = item.rows.reduce(0) { max($0, firstPosition($1)) }
        let end = layout.isChain ? layout.position(of: firstRow) + 1 : layout.committed
        let common = start..<max(start, end)
        guard item.rows.count > 1, !common.isEmpty else {
            for row in item.rows { accumulate(item, row, firstPosition(row)..<layout.position(of: row) + 1) }
            return
        }
        for row in item.rows { accumulate(item, row, firstPosition(row)..<common.lowerBound) }
        accumulate(item, queries: 0..<item.count, slots: common, position: common.lowerBound)
        for row in item.rows { accumulate(item, row, common.upperBound..<layout.position(of: row) + 1) }
    }

    /// One row's part for some positions.
    private func accumulate(_ item: Item, _ row: Int, _ positions: Range<Int>) {
        let first = item.query(row, item.heads.lowerBound)
        let queries = first..<first + item.heads.count
        if layout.isChain {
            accumulate(item, queries: queries, slots: positions, position: positions.lowerBound)
            return
        }
        let past = positions.clamped(to: 0..<layout.committed)
        accumulate(item, queries: queries, slots: past, position: past.lowerBound)
        let path = Int(layout.pathStarts[row])
        for position in max(positions.lowerBound, layout.committed)..<max(positions.upperBound, layout.committed) {
            let slot = layout.committed + Int(layout.paths[path + position - layout.committed])
            accumulate(item, queries: queries, slots: slot..<slot + 1, position: position)
        }
    }

    /// The part of consecutive slots whose first has position `position`.
    private func accumulate(_ item: Item, queries: Range<Int>, slots: Range<Int>, position: Int) {
        for slot in stride(from: slots.lowerBound, to: slots.upperBound, by: Self.block) {
            let score = position - item.base + slot - slots.lowerBound
            kernels.accumulate(
                Accumulation(
                    dimension: cache.shape.valueDimension, count: min(Self.block, slots.upperBound - slot),
                    values: cache.value(layer: layer, head: item.keyValueHead, slot: slot),
                    valueStride: cache.valueBytes, queries: queries.count,
                    weights: item.scratch.scores(queries.lowerBound) + score, weightStride: item.scratch.scoreStride,
                    outputs: item.scratch.output(queries.lowerBound), outputStride: item.scratch.outputStride),
                cache.shape.type)
        }
    }

    private func store(_ item: Item, _ sums: UnsafeMutableBufferPointer<Float>) {
        let dimension = cache.shape.valueDimension
        for row in item.rows {
            for head in item.heads {
                let query = item.query(row, head)
                let output = outputs.row(row) + head * dimension
                output.update(from: item.scratch.output(query), count: dimension)
                kernels.scale(dimension, output, by: 1 / sums[query])
            }
        }
    }
}
