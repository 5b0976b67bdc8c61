// The operands of attention's scores.

/// scores[q][16p + i] = Σ_d queries[q][d] · keys[p][d][i], for `panels` p of sixteen keys.
package struct Scoring {
    /// Length of a key.
    package var dimension: Int
    /// Number of panels and the first, as ``KernelSet/storeKey(_:_:as:into:lane:)`` fills them; the others follow it.
    package var panels: Int, keys: UnsafeRawPointer
    /// Number of queries and what they are, `queryStride` bytes apart: blocks of 32 where keys are q8_0, else f32.
    package var count: Int, queries: UnsafeRawPointer, queryStride: Int
    /// Where they go, rows `scoreStride` floats apart.
    package var scores: UnsafeMutablePointer<Float>, scoreStride: Int

    /// Those operands.
    package init(
        dimension: Int, panels: Int, keys: UnsafeRawPointer, count: Int, queries: UnsafeRawPointer, queryStride: Int,
        scores: UnsafeMutablePointer<Float>, scoreStride: Int
    ) {
        self.dimension = dimension
        self.panels = panels
        self.keys = keys
        self.count = count
        self.queries = queries
        self.queryStride = queryStride
        self.scores = scores
        self.scoreStride = scoreStride
    }
}
