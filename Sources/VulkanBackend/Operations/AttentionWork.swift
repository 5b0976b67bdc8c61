// How much memory attention works in, and in how many rounds.

import InferSupport
import InferTensors

/// The rows that attention takes on at once, and what it keeps of them on the way.
struct AttentionWork {
    /// Tokens of a chunk of a softmax, as in `chunks.glsl`.
    static let chunk = 1024
    /// Bytes that one round may take, unless a single row takes more.
    static let largestByteCount = 64 << 20

    /// Rows of a round.
    let rowsAtOnce: Int
    /// Bytes of a round.
    let byteCount: Int

    /// For a step of `rows` rows of `heads` queries, each of which sees up to `visible` tokens, with values of that length.
    init(rows: Int, heads: Int, visible: Int, valueDimension: Int) {
        let row = Self.byteCount(heads: heads, visible: visible, valueDimension: valueDimension)
        rowsAtOnce = max(1, min(rows, Self.largestByteCount / row))
        byteCount = Int.product(rowsAtOnce, row)
    }

    /// Chunks of `visible` tokens.
    static func chunks(_ visible: Int) -> Int { (visible + chunk - 1) / chunk }

    /// Bytes for one row: scores, and behind those of all rows what is left of chunks: values, maximum and sum.
    static func byteCount(heads: Int, visible: Int, valueDimension: Int) -> Int {
        let chunks = visible > chunk ? Int.product(Self.chunks(visible), valueDimension + 2) : 0
        return Int.product(4, heads, Int.sum([visible, chunks]))
    }

    /// How many queries may share a workgroup whose threads have `sharedBytes` in common: see `attend_values.comp`.
    static func queries(sharing sharedBytes: Int) -> Int { max(1, (sharedBytes - 4096) / (4 * (chunk + 128))) }
}
