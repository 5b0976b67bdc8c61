// Attention of one layer over the rows of a step: its rounds, their commands, and their memory.

import InferSupport
import InferTensors

/// Softmax attention of one sequence's rows in one layer.
///
/// Three kinds of commands: scores of all tokens that a row sees; softmax and sums of values over each chunk of
/// ``AttentionWork/chunk`` tokens; and, for rows that see several chunks, the combination of these.
struct AttentionOperation {
    /// The rows' tokens and ancestors in the device's memory: see `SegmentLayout`.
    struct Paths {
        let depths: DeviceAddress, pathStarts: DeviceAddress, paths: DeviceAddress
    }

    /// Queries and outputs. Row 0 of both is row 0 of `layout`.
    let queries: DeviceRows, outputs: DeviceRows
    let layout: SegmentLayout
    let paths: Paths
    let keys: CacheLayer, values: CacheLayer
    let shape: KVCacheShape
    /// Query heads, and how many of them share a key–value head.
    let heads: Int, headsPerKey: Int
    /// Latest positions that a token sees; 0 for all.
    let window: Int
    let scale: Float, softCap: Float?
    /// Per head, the score of its attention sink.
    let sinks: DeviceAddress?
    /// The memory it works in.
    let scores: DeviceAddress
    /// Most tokens that a row sees.
    let visible: Int
    let work: AttentionWork

    /// Attention of rows `firstRow`..<`firstRow + layout.count` of `queries`, into the same rows of `outputs`.
    init(
        _ queries: DeviceRows, into outputs: DeviceRows, firstRow: Int, _ layout: SegmentLayout, _ paths: Paths,
        shape: KVCacheShape, keys: CacheLayer, values: CacheLayer, _ parameters: AttentionParameters,
        sinks: DeviceAddress?, _ work: AttentionWork, in scores: DeviceAddress
    ) {
        (self.queries, self.outputs) = (queries.dropFirst(firstRow), outputs.dropFirst(firstRow))
        (self.layout, self.paths) = (layout, paths)
        (self.shape, self.keys, self.values) = (shape, keys, values)
        (heads, headsPerKey) = (parameters.heads, parameters.heads / parameters.keyValueHeads)
        (window, scale, softCap) = (parameters.window ?? 0, parameters.scale, parameters.softCap)
        (self.sinks, self.scores, self.work, visible) = (sinks, scores, work, work.visible)
    }

    /// Whether some row sees more than one chunk.
    var hasChunks: Bool { visible > AttentionWork.chunk }

    /// Passes the commands to `record`, in order.
    func record(_ record: (DeviceCommand) throws(InferenceError) -> Void) throws(InferenceError) {
        for first in stride(from: 0, to: layout.count, by: work.rowsAtOnce) {
            let rows = first..<min(first + work.rowsAtOnce, layout.count)
            for scores in scores(of: rows) { try record(.score(scores, self)) }
            try record(.attend(rows, self))
            if hasChunks { try record(.combineChunks(rows, self)) }
        }
    }

    /// Scores of some rows over some tokens.
    struct Scores {
        let rows: Range<Int>
        /// Logical positions.
        let tokens: Range<Int>
        /// Whether the tokens are the step's own and each row has its own path to them. Otherwise every row finds them in the
        /// same slots.
        let isTree: Bool
        /// Whether another command since the last one that read scores writes other scores of the same rows. The two need no
        /// barrier between them.
        let isSecond: Bool
    }

    private func scores(of rows: Range<Int>) -> [Scores] {
        let committed = layout.committed
        let positions = rows.map(layout.position)
        let begin = positions.reduce(.max) { min($0, window > 0 ? max(0, $1 + 1 - window) : 0) }
        let end = (positions.max() ?? 0) + 1
        if layout.isChain { return [Scores(rows: rows, tokens: begin..<end, isTree: false, isSecond: false)] }
        let before = min(begin, committed)..<committed
        return [
            Scores(rows: rows, tokens: before, isTree: false, isSecond: false),
            Scores(rows: rows, tokens: committed..<end, isTree: true, isSecond: !before.isEmpty),
        ]
    }
}

/// How many rows attention computes in one round, and how much memory a round takes.
struct AttentionWork {
    /// Tokens of a chunk of a softmax, as in `chunks.glsl`.
    static let chunk = 1024
    /// Bytes of a round, unless a single row takes more.
    static let largestByteCount = 64 << 20

    /// Most tokens that a row sees.
    let visible: Int
    /// Rows of a round.
    let rowsAtOnce: Int
    /// Bytes of a round.
    let byteCount: Int

    /// The work of `rows` rows of `heads` queries, each of which sees up to `visible` tokens.
    init(rows: Int, heads: Int, visible: Int, valueDimension: Int) {
        let row = Self.byteCount(heads: heads, visible: visible, valueDimension: valueDimension)
        self.visible = visible
        rowsAtOnce = max(1, min(rows, Self.largestByteCount / row))
        byteCount = Int.product(rowsAtOnce, row)
    }

    /// The work of a step.
    init(_ layout: SegmentLayout, _ shape: KVCacheShape, _ parameters: AttentionParameters) {
        let visible = (0..<layout.count).reduce(0) { most, row in
            max(most, min(layout.position(of: row) + 1, parameters.window ?? .max))
        }
        self.init(
            rows: layout.count, heads: parameters.heads, visible: visible, valueDimension: shape.valueDimension)
    }

    /// Chunks of `visible` tokens.
    static func chunks(_ visible: Int) -> Int { (visible + chunk - 1) / chunk }

    /// Bytes for one row: its scores, and for each chunk the sum of values, the maximum and the sum. The results of chunks lie
    /// behind the scores of all rows.
    static func byteCount(heads: Int, visible: Int, valueDimension: Int) -> Int {
        let chunks = visible > chunk ? Int.product(Self.chunks(visible), valueDimension + 2) : 0
        return Int.product(4, heads, Int.sum([visible, chunks]))
    }
}
