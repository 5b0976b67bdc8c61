// Working memory of the CPU backend, one operation's at a time.

import InferSupport

/// Room for quantised inputs and, per thread, for attention; grown when operands are made, so that no operation
/// allocates.
struct CPUScratch {
    /// A step's activations, quantised for products.
    private(set) var inputs: AlignedMemory
    /// What one item of attention needs, for as many as may be in work at once.
    private(set) var attention: [AlignedMemory] = []

    /// No room yet.
    init() throws(InferenceError) { inputs = try AlignedMemory(bytes: 1, for: "working memory") }

    /// Makes room for activations of that shape as inputs of products.
    mutating func reserveInputs(rows: Int, columns: Int) throws(InferenceError) {
        let rowBytes = max(InputFormat.blocks32.rowBytes(columns), InputFormat.blocks256.rowBytes(columns))
        let (size, overflow) = rows.multipliedReportingOverflow(by: rowBytes)
        guard overflow || size > inputs.byteCount else { return }
        inputs = try AlignedMemory(bytes: rows, rowBytes, for: "\(rows) rows of quantised activations")
    }

    /// Makes room for attention over a cache of that shape in `items` items at once.
    mutating func reserveAttention(_ shape: KVCacheShape, items: Int) throws(InferenceError) {
        let layout = AttentionScratch.Layout(shape)
        if attention.count == items, attention.allSatisfy({ $0.byteCount >= layout.byteCount }) { return }
        var memory: [AlignedMemory] = []
        for _ in 0..<items {
            memory.append(try AlignedMemory(bytes: layout.byteCount, for: "the scores of \(shape.slots) tokens"))
        }
        attention = memory
    }
}
