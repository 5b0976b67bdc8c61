// The operands of a product kernel.

/// outputs[c][r] = Σ_k weights[r][k] · inputs[c][k], for `rows` r and `columns` c.
package struct Product {
    /// Elements of a row.
    package var k: Int
    /// Weight rows and what they are.
    package var rows: Int, weights: UnsafeRawPointer, weightStride: Int
    /// Input rows in the type's ``InputFormat``, `inputStride` bytes apart. Column c is row `inputRows[c]`, or c.
    package var columns: Int, inputs: UnsafeRawPointer, inputStride: Int, inputRows: UnsafePointer<Int32>?
    /// Output rows, `outputStride` floats apart. Column c goes to row `outputRows[c]`, or c.
    package var outputs: UnsafeMutablePointer<Float>, outputStride: Int, outputRows: UnsafePointer<Int32>?

    /// Those operands.
    package init(
        k: Int, rows: Int, weights: UnsafeRawPointer, weightStride: Int, columns: Int, inputs: UnsafeRawPointer,
        inputStride: Int, inputRows: UnsafePointer<Int32>? = nil, outputs: UnsafeMutablePointer<Float>,
        outputStride: Int, outputRows: UnsafePointer<Int32>? = nil
    ) {
        self.k = k
        self.rows = rows
        self.weights = weights
        self.weightStride = weightStride
        self.columns = columns
        self.inputs = inputs
        self.inputStride = inputStride
        self.inputRows = inputRows
        self.outputs = outputs
        self.outputStride = outputStride
        self.outputRows = outputRows
    }

    /// Where column `column`'s input begins.
    func input(_ column: Int) -> UnsafeRawPointer {
        inputs + (inputRows.map { Int($0[column]) } ?? column) * inputStride
    }

    /// Where column `column`'s output begins.
    func output(_ column: Int) -> UnsafeMutablePointer<Float> {
        outputs + (outputRows.map { Int($0[column]) } ?? column) * outputStride
    }
}

/// Computes a product with weights of one type.
package typealias ProductKernel = @Sendable (Product) -> Void
