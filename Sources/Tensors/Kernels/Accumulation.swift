// The operands of attention's weighted sum of values.

/// outputs[q][d] += Σ_j weights[q][j] · values[j][d], j ascending.
package struct Accumulation {
    /// Length of a value.
    package var dimension: Int
    /// Number of values; rows of them are `valueStride` bytes apart. Value j is row `rows[j]`, or j.
    package var count: Int, values: UnsafeRawPointer, valueStride: Int, rows: UnsafePointer<Int32>?
    /// Number of queries; weights and outputs are as many floats apart.
    package var queries: Int, weights: UnsafePointer<Float>, weightStride: Int
    package var outputs: UnsafeMutablePointer<Float>, outputStride: Int

    /// Those operands.
    package init(
        dimension: Int, count: Int, values: UnsafeRawPointer, valueStride: Int, rows: UnsafePointer<Int32>? = nil,
        queries: Int, weights: UnsafePointer<Float>, weightStride: Int, outputs: UnsafeMutablePointer<Float>,
        outputStride: Int
    ) {
        self.dimension = dimension
        self.count = count
        self.values = values
        self.valueStride = valueStride
        self.rows = rows
        self.queries = queries
        self.weights = weights
        self.weightStride = weightStride
        self.outputs = outputs
        self.outputStride = outputStride
    }
}
