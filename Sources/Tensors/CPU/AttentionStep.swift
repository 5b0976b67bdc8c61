// Attention of one step in one layer, item by item: some rows × some heads that share keys and values.

/// Everything the items of one call of attention have in common.
///
/// Two passes over logical positions: all scores first, then softmax over them in their logical order, then the values
/// in that order. A position's slot only says where its key and value are read from, so a tree's row gives the bits its
/// committed counterpart gives. Scores may be cut anywhere and sums at any dimension; over positions they are never cut.
struct AttentionStep {
    let queries: Activations
    let outputs: Activations
    let layout: StepLayout
    let cache: CPUKeyValueCache
    let layer: Int
    let parameters: AttentionParameters
    let kernels: any KernelSet

    /// Positions whose keys or values stay in the cache while all queries of an item use them.
    private static let block = 128

    /// First position row `row` sees.
    private func firstPosition(_ row: Int) -> Int {
        guard let window = parameters.window else { return 0 }
        return max(0, layout.position(of: row) + 1 - window)
    }

    /// The item of `rows` × `heads`, all of which read key–value head `keyValueHead`.
    func item(
        rows: Range<Int>, heads: Range<Int>, keyValueHead: Int, _ scratch: AttentionScratch
    ) -> AttentionItem {
        var first = rows.reduce(Int.max) { min($0, firstPosition($1)) }
        // Scores are laid out by position from here on; in a tree a window may begin inside the step, whose slots are
        // not positions.
        if !layout.isChain { first = min(first, layout.committed) }
        return AttentionItem(
            rows: rows, heads: heads, keyValueHead: keyValueHead, base: first / KeyPanel.keys * KeyPanel.keys,
            end: layout.committed + rows.upperBound, scratch: scratch)
    }

    /// Computes all of an item.
    func attend(_ item: AttentionItem) {
        loadQueries(item)
        score(item, panels: 0..<item.panels)
        normalise(item, queries: 0..<item.count)
        accumulate(item, dimensions: 0..<cache.shape.valueDimension)
    }

    /// Copies the item's queries into its memory, in the keys' input format.
    func loadQueries(_ item: AttentionItem) {
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

    /// Scores of all slots in some of the item's panels, for all its queries; those a row does not see are never read.
    func score(_ item: AttentionItem, panels: Range<Int>) {
        let block = Self.block / KeyPanel.keys
        for panel in stride(from: panels.lowerBound, to: panels.upperBound, by: block) {
            let slot = item.base + panel * KeyPanel.keys
            kernels.score(
                Scoring(
                    dimension: cache.shape.keyDimension, panels: min(block, panels.upperBound - panel),
                    keys: cache.keyPanel(layer: layer, head: item.keyValueHead, slot: slot), count: item.count,
                    queries: item.scratch.query(0), queryStride: item.scratch.queryStride,
                    scores: item.scratch.scores(0) + panel * KeyPanel.keys, scoreStride: item.scratch.scoreStride),
                cache.shape.type)
        }
    }

    /// Turns some queries' scores into softmax numerators.
    func normalise(_ item: AttentionItem, queries: Range<Int>) {
        for query in queries {
            let (row, head) = query.quotientAndRemainder(dividingBy: item.heads.count)
            let scores = item.scratch.scores(query)
            if !layout.isChain { arrange(item.rows.lowerBound + row, scores + (layout.committed - item.base)) }
            let first = firstPosition(item.rows.lowerBound + row)
            let count = layout.position(of: item.rows.lowerBound + row) + 1 - first
            item.scratch.sum(query).pointee = kernels.softmax(
                count, scores + (first - item.base), scale: parameters.scale, cap: parameters.softCap ?? 0,
                sink: parameters.sinks?.values[item.heads.lowerBound + head] ?? -.infinity)
        }
    }

    /// Brings the scores of a row's ancestors into the order of their depths. An ancestor's row number is at least its
    /// depth, so ascending copies read nothing that was overwritten.
    private func arrange(_ row: Int, _ scores: UnsafeMutablePointer<Float>) {
        let path = layout.paths[Int(layout.pathStarts[row])..<Int(layout.pathStarts[row + 1])]
        for (depth, ancestor) in path.enumerated() { scores[depth] = scores[Int(ancestor)] }
    }

    /// Some dimensions of all queries' outputs: weighted sums of values in the order of positions, what only some rows see
    /// before and after what all see.
    func accumulate(_ item: AttentionItem, dimensions: Range<Int>) {
        let sums = AttentionSums(step: self, item: item, dimensions: dimensions)
        for query in 0..<item.count { sums.output(query).update(repeating: 0, count: dimensions.count) }
        let start = item.rows.reduce(0) { max($0, firstPosition($1)) }
        let end = layout.isChain ? layout.position(of: item.rows.lowerBound) + 1 : layout.committed
        if start < end {
            for row in item.rows { sums.add(row, positions: firstPosition(row)..<start) }
            sums.add(queries: 0..<item.count, positions: start..<end)
            for row in item.rows { sums.add(row, positions: end..<layout.position(of: row) + 1) }
        } else {
            for row in item.rows { sums.add(row, positions: firstPosition(row)..<layout.position(of: row) + 1) }
        }
        store(item, sums)
    }

    private func store(_ item: AttentionItem, _ sums: AttentionSums) {
        for row in item.rows {
            for head in item.heads {
                let query = item.query(row, head)
                let start = head * cache.shape.valueDimension + sums.dimensions.lowerBound
                let output = outputs.row(row) + start
                output.update(from: sums.output(query), count: sums.dimensions.count)
                kernels.scale(sums.dimensions.count, output, by: 1 / item.scratch.sum(query).pointee)
            }
        }
    }

    /// The sums of an item over some dimensions.
    private struct AttentionSums {
        let step: AttentionStep
        let item: AttentionItem
        let dimensions: Range<Int>

        func output(_ query: Int) -> UnsafeMutablePointer<Float> {
            item.scratch.output(query) + dimensions.lowerBound
        }

        /// Adds what one row sees at some positions.
        func add(_ row: Int, positions: Range<Int>) {
            let layout = step.layout
            let first = item.query(row, item.heads.lowerBound)
            let queries = first..<first + item.heads.count
            if layout.isChain {
                add(queries: queries, positions: positions)
                return
            }
            add(queries: queries, positions: positions.clamped(to: 0..<layout.committed))
            let inside = positions.clamped(to: layout.committed..<Int.max)
            guard !inside.isEmpty else { return }
            layout.paths.withUnsafeBufferPointer { paths in
                guard let start = paths.baseAddress else { return }
                add(
                    queries: queries, position: inside.lowerBound, count: inside.count, slot: layout.committed,
                    rows: start + (Int(layout.pathStarts[row]) + inside.lowerBound - layout.committed))
            }
        }

        /// Adds positions that are slots.
        func add(queries: Range<Int>, positions: Range<Int>) {
            for position in stride(from: positions.lowerBound, to: positions.upperBound, by: AttentionStep.block) {
                add(
                    queries: queries, position: position,
                    count: min(AttentionStep.block, positions.upperBound - position), slot: position, rows: nil)
            }
        }

        /// Adds `count` values from `slot` on, or those `rows` tells after it, the first of which has position `position`.
        private func add(
            queries: Range<Int>, position: Int, count: Int, slot: Int, rows: UnsafePointer<Int32>?
        ) {
            let cache = step.cache
            let values = cache.value(layer: step.layer, head: item.keyValueHead, slot: slot)
            step.kernels.accumulate(
                Accumulation(
                    dimension: dimensions.count, count: count,
                    values: values + cache.shape.type.byteCount(dimensions.lowerBound),
                    valueStride: cache.valueBytes, rows: rows, queries: queries.count,
                    weights: item.scratch.scores(queries.lowerBound) + (position - item.base),
                    weightStride: item.scratch.scoreStride, outputs: output(queries.lowerBound),
                    outputStride: item.scratch.outputStride),
                cache.shape.type)
        }
    }
}
