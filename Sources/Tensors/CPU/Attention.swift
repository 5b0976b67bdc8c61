// Attention on the CPU, item by item: some rows × some heads of one segment that share keys and values.

/// What the items of one segment have in common.
struct AttentionStep {
    let queries: Activations
    let outputs: Activations
    /// The segment's first row in ``queries`` and ``outputs``.
    let firstRow: Int
    let layout: SegmentLayout
    let cache: CPUKeyValueCache
    let layer: Int
    let parameters: AttentionParameters
    let kernels: any KernelSet

    /// Positions whose keys or values stay in the processor's cache while all queries of an item use them.
    static let block = 128

    /// The first position that row `row` of the segment sees.
    func firstPosition(_ row: Int) -> Int {
        guard let window = parameters.window else { return 0 }
        return max(0, layout.position(of: row) + 1 - window)
    }

    /// The approximate number of multiplications.
    var work: Int {
        let positions = min(layout.committed + layout.count, parameters.window ?? .max)
        let perPosition = parameters.heads * (cache.shape.keyDimension + cache.shape.valueDimension)
        return layout.count * perPosition * positions
    }
}

/// One item of attention and its working memory. Query (row, head) has index (row − first row) · heads + (head − first head).
///
/// Two passes over logical positions: all scores first, then softmax over them in their logical order, then the values
/// in that order. A position's slot only says where its key and value are read from, so a row in a tree has the bits that it
/// would have in plain decoding. Scores may be cut anywhere and sums at any dimension; sums are never cut over positions.
struct AttentionItem {
    let step: AttentionStep
    /// Rows of the segment.
    let rows: Range<Int>
    /// Query heads, all of which read ``keyValueHead``.
    let heads: Range<Int>
    let keyValueHead: Int
    /// The slot of the first score, and its position where it belongs to the past: a multiple of a panel's sixteen.
    let base: Int
    /// The end of the slots whose keys are scored.
    let end: Int
    let scratch: AttentionScratch

    init(
        _ step: AttentionStep, rows: Range<Int>, heads: Range<Int>, keyValueHead: Int, _ scratch: AttentionScratch
    ) {
        var first = rows.reduce(Int.max) { min($0, step.firstPosition($1)) }
        // Scores are laid out by position from here on. In a tree a window may begin inside the step, whose slots are not
        // positions.
        if !step.layout.isChain { first = min(first, step.layout.committed) }
        (self.step, self.rows, self.heads, self.keyValueHead) = (step, rows, heads, keyValueHead)
        base = first / KeyPanel.keys * KeyPanel.keys
        end = step.layout.slotEnd(of: rows)
        self.scratch = scratch
    }

    /// Queries.
    var count: Int { rows.count * heads.count }

    /// Panels of keys that are scored.
    var panels: Int { (end - base + KeyPanel.keys - 1) / KeyPanel.keys }

    /// The index of a query.
    func query(_ row: Int, _ head: Int) -> Int {
        (row - rows.lowerBound) * heads.count + head - heads.lowerBound
    }

    /// Computes everything.
    func attend() {
        loadQueries()
        score(panels: 0..<panels)
        normalise(queries: 0..<count)
        accumulate(dimensions: 0..<step.cache.shape.valueDimension)
    }

    /// Copies the queries into the working memory, in the keys' input format.
    func loadQueries() {
        let dimension = step.cache.shape.keyDimension
        let format: InputFormat = step.cache.shape.type == .q8_0 ? .blocks32 : .float
        for row in rows {
            for head in heads {
                step.kernels.quantize(
                    dimension, step.queries.row(step.firstRow + row) + head * dimension, as: format,
                    into: scratch.query(query(row, head)))
            }
        }
    }

    /// Scores of all slots in some panels, for all queries. Those that a row does not see are never read.
    func score(panels: Range<Int>) {
        let (cache, block) = (step.cache, AttentionStep.block / KeyPanel.keys)
        for panel in stride(from: panels.lowerBound, to: panels.upperBound, by: block) {
            let slot = base + panel * KeyPanel.keys
            step.kernels.score(
                Scoring(
                    dimension: cache.shape.keyDimension, panels: min(block, panels.upperBound - panel),
                    keys: cache.keyPanel(layer: step.layer, head: keyValueHead, slot: slot), count: count,
                    queries: scratch.query(0), queryStride: scratch.queryStride,
                    scores: scratch.scores(0) + panel * KeyPanel.keys, scoreStride: scratch.scoreStride),
                cache.shape.type)
        }
    }

    /// Turns some queries' scores into softmax numerators.
    func normalise(queries: Range<Int>) {
        let (layout, parameters) = (step.layout, step.parameters)
        for query in queries {
            let (row, head) = query.quotientAndRemainder(dividingBy: heads.count)
            let scores = scratch.scores(query)
            if !layout.isChain { arrange(rows.lowerBound + row, scores + (layout.committed - base)) }
            let first = step.firstPosition(rows.lowerBound + row)
            let count = layout.position(of: rows.lowerBound + row) + 1 - first
            scratch.sum(query).pointee = step.kernels.softmax(
                count, scores + (first - base), scale: parameters.scale, cap: parameters.softCap ?? 0,
                sink: parameters.sinks?.values[heads.lowerBound + head] ?? -.infinity)
        }
    }

    /// Brings the scores of a row's ancestors into the order of their depths. An ancestor's row number is at least its
    /// depth, so ascending copies read nothing that was overwritten.
    private func arrange(_ row: Int, _ scores: UnsafeMutablePointer<Float>) {
        let layout = step.layout
        let path = layout.paths[Int(layout.pathStarts[row])..<Int(layout.pathStarts[row + 1])]
        for (depth, ancestor) in path.enumerated() { scores[depth] = scores[Int(ancestor)] }
    }

    /// Some dimensions of all queries' outputs: weighted sums of values in the order of positions. The positions that all rows
    /// see are added for all of them together, those before and after for each row alone.
    func accumulate(dimensions: Range<Int>) {
        let layout = step.layout
        for query in 0..<count { output(query, dimensions).update(repeating: 0, count: dimensions.count) }
        let start = rows.reduce(0) { max($0, step.firstPosition($1)) }
        let end = layout.isChain ? layout.position(of: rows.lowerBound) + 1 : layout.committed
        if start < end {
            for row in rows { add(row, positions: step.firstPosition(row)..<start, dimensions) }
            add(queries: 0..<count, positions: start..<end, dimensions)
            for row in rows { add(row, positions: end..<layout.position(of: row) + 1, dimensions) }
        } else {
            for row in rows { add(row, positions: step.firstPosition(row)..<layout.position(of: row) + 1, dimensions) }
        }
        store(dimensions)
    }

    private func output(_ query: Int, _ dimensions: Range<Int>) -> UnsafeMutablePointer<Float> {
        scratch.output(query) + dimensions.lowerBound
    }

    private func store(_ dimensions: Range<Int>) {
        for row in rows {
            for head in heads {
                let query = query(row, head)
                let start = head * step.cache.shape.valueDimension + dimensions.lowerBound
                let target = step.outputs.row(step.firstRow + row) + start
                target.update(from: output(query, dimensions), count: dimensions.count)
                step.kernels.scale(dimensions.count, target, by: 1 / scratch.sum(query).pointee)
            }
        }
    }

    /// Adds what one row sees at some positions.
    private func add(_ row: Int, positions: Range<Int>, _ dimensions: Range<Int>) {
        let layout = step.layout
        let first = query(row, heads.lowerBound)
        let queries = first..<first + heads.count
        if layout.isChain {
            add(queries: queries, positions: positions, dimensions)
            return
        }
        add(queries: queries, positions: positions.clamped(to: 0..<layout.committed), dimensions)
        let inside = positions.clamped(to: layout.committed..<Int.max)
        guard !inside.isEmpty else { return }
        layout.paths.withUnsafeBufferPointer { paths in
            guard let start = paths.baseAddress else { return }
            add(
                queries: queries, position: inside.lowerBound, count: inside.count, slot: layout.committed,
                rows: start + (Int(layout.pathStarts[row]) + inside.lowerBound - layout.committed), dimensions)
        }
    }

    /// Adds positions that are slots.
    private func add(queries: Range<Int>, positions: Range<Int>, _ dimensions: Range<Int>) {
        for position in stride(from: positions.lowerBound, to: positions.upperBound, by: AttentionStep.block) {
            add(
                queries: queries, position: position,
                count: min(AttentionStep.block, positions.upperBound - position), slot: position, rows: nil, dimensions)
        }
    }

    /// Adds `count` values from `slot` on, or those that `rows` names relative to it. The first has position `position`.
    private func add(
        queries: Range<Int>, position: Int, count: Int, slot: Int, rows: UnsafePointer<Int32>?, _ dimensions: Range<Int>
    ) {
        let cache = step.cache
        let values = cache.value(layer: step.layer, head: keyValueHead, slot: slot)
        step.kernels.accumulate(
            Accumulation(
                dimension: dimensions.count, count: count,
                values: values + cache.shape.type.byteCount(dimensions.lowerBound), valueStride: cache.valueBytes,
                rows: rows, queries: queries.count, weights: scratch.scores(queries.lowerBound) + (position - base),
                weightStride: scratch.scoreStride, outputs: output(queries.lowerBound, dimensions),
                outputStride: scratch.outputStride),
            cache.shape.type)
    }
}

/// How a step's attention is cut into items: heads that share keys and values go together, and as many rows of a segment as an
/// item's memory has room for.
struct AttentionTiling {
    private let steps: [AttentionStep]
    /// The number of items before each segment's, and at last of all.
    private let starts: [Int]
    /// Query heads that share keys and values.
    private let group: Int
    private let headsPerItem: Int
    private let rowsPerItem: Int
    /// Items that the heads of a group are cut into.
    private let parts: Int
    /// The approximate number of multiplications of all items.
    let work: Int

    /// The items of all segments, which have the same heads.
    init(_ steps: [AttentionStep]) {
        self.steps = steps
        let parameters = steps.first?.parameters
        let keyValueHeads = parameters?.keyValueHeads ?? 1
        let group = (parameters?.heads ?? 1) / keyValueHeads
        let headsPerItem = min(group, AttentionScratch.queries)
        let rowsPerItem = AttentionScratch.queries / headsPerItem
        let parts = (group + headsPerItem - 1) / headsPerItem
        (self.group, self.headsPerItem, self.rowsPerItem, self.parts) = (group, headsPerItem, rowsPerItem, parts)
        starts = steps.reduce(into: [0]) { starts, step in
            let tiles = (step.layout.count + rowsPerItem - 1) / rowsPerItem
            starts.append(starts[starts.count - 1] + tiles * keyValueHeads * parts)
        }
        work = steps.reduce(0) { $0 + $1.work }
    }

    /// Number of items.
    var count: Int { starts[starts.count - 1] }

    /// Of ``work``, what `threads` threads could have done while they wait for the last items.
    func idle(_ threads: Int) -> Int {
        let rounds = (count + threads - 1) / threads
        return work / count * (rounds * threads - count)
    }

    /// Item `index`, in `memory`. Items with the same keys and values follow each other, so that these are still in the
    /// processor's cache; later rows, which see more, come first and leave small items for the end.
    func item(_ index: Int, _ memory: AlignedMemory) -> AttentionItem {
        // Segments are few; each has at least one item.
        let segment = starts.count == 2 ? 0 : starts.dropFirst().firstIndex { index < $0 }.map { $0 - 1 } ?? 0
        let step = steps[segment]
        let rows = step.layout.count
        let tiles = (rows + rowsPerItem - 1) / rowsPerItem
        let (keyValueHead, rest) = (index - starts[segment]).quotientAndRemainder(dividingBy: tiles * parts)
        let (number, part) = rest.quotientAndRemainder(dividingBy: parts)
        let firstRow = (tiles - 1 - number) * rowsPerItem
        let firstHead = keyValueHead * group + part * headsPerItem
        return AttentionItem(
            step, rows: firstRow..<min(firstRow + rowsPerItem, rows),
            heads: firstHead..<min(firstHead + headsPerItem, (keyValueHead + 1) * group), keyValueHead: keyValueHead,
            AttentionScratch(memory, step.cache.shape))
    }
}

/// Queries, scores, outputs and sums of one item of attention: up to ``queries`` rows, one per query.
struct AttentionScratch {
    /// Most queries of an item.
    static let queries = 16

    /// How the memory is divided.
    struct Layout {
        /// Bytes of a query in the keys' input format.
        let queryBytes: Int
        /// Floats of a row of scores. Not a power of two, for then all rows would compete for the same few cache lines.
        let scores: Int
        /// Floats of an output.
        let outputs: Int
        /// All of it, with one sum per query.
        var byteCount: Int { AttentionScratch.queries * (queryBytes + 4 * (scores + outputs + 1)) }

        /// The division for a cache of that shape.
        init(_ shape: KVCacheShape) {
            let format: InputFormat = shape.type == .q8_0 ? .blocks32 : .float
            queryBytes = (format.rowBytes(shape.keyDimension) + 63) / 64 * 64
            scores = (shape.slots + 15) / 16 * 16 + 16
            outputs = (shape.valueDimension + 15) / 16 * 16
        }
    }

    /// Bytes from query to query, floats from row to row of scores, and of outputs.
    let queryStride: Int, scoreStride: Int, outputStride: Int
    private let base: UnsafeMutableRawPointer

    /// The division of `memory` for a cache of that shape.
    init(_ memory: AlignedMemory, _ shape: KVCacheShape) {
        let layout = Layout(shape)
        queryStride = layout.queryBytes
        scoreStride = layout.scores
        outputStride = layout.outputs
        base = memory.base
    }

    /// Query `index`, in the keys' input format.
    func query(_ index: Int) -> UnsafeMutableRawPointer { base + index * queryStride }

    /// Query `index`'s scores, one per visible slot.
    func scores(_ index: Int) -> UnsafeMutablePointer<Float> {
        (base + Self.queries * queryStride).assumingMemoryBound(to: Float.self) + index * scoreStride
    }

    /// Query `index`'s weighted sum of values.
    func output(_ index: Int) -> UnsafeMutablePointer<Float> {
        scores(Self.queries) + index * outputStride
    }

    /// Query `index`'s sum of softmax numerators.
    func sum(_ index: Int) -> UnsafeMutablePointer<Float> { output(Self.queries) + index }
}
