// A product kernel, its operands, and the layout of weights that it reads.

/// outputs[c][r] = Σ_k weights[r][k] · inputs[c][k], for `rows` r and `columns` c.
package struct Product {
    /// Elements of a row.
    package var k: Int
    /// Number of weight rows and their first panel; panels are `weightStride` bytes apart.
    package var rows: Int, weights: UnsafeRawPointer, weightStride: Int
    /// Number of columns and their input rows in the type's ``InputFormat``, `inputStride` bytes apart. Column c reads
    /// row `inputRows[c]`, or row c if `inputRows` is nil.
    package var columns: Int, inputs: UnsafeRawPointer, inputStride: Int, inputRows: UnsafePointer<Int32>?
    /// Output rows, `outputStride` floats apart. Column c writes row `outputRows[c]`, or row c if `outputRows` is nil.
    package var outputs: UnsafeMutablePointer<Float>, outputStride: Int, outputRows: UnsafePointer<Int32>?

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

    /// The first byte of the input of a column.
    func input(_ column: Int) -> UnsafeRawPointer {
        inputs + (inputRows.map { Int($0[column]) } ?? column) * inputStride
    }

    /// The first output of a column.
    func output(_ column: Int) -> UnsafeMutablePointer<Float> {
        outputs + (outputRows.map { Int($0[column]) } ?? column) * outputStride
    }
}

/// Computes a product with weights of one type.
package typealias ProductKernel = @Sendable (Product) -> Void

/// A product kernel for weights of one type, and the layout in which it reads them.
///
/// Weights are in panels of ``panelRows`` rows. If `pack` is nil, a panel is a row of the file; otherwise `pack` makes
/// a panel from that many rows. `Kernels/README.md` describes the layouts.
package struct WeightKernel: Sendable {
    /// Packs `rows` rows, at most ``panelRows``, of `k` elements that are `stride` bytes apart.
    package typealias Pack =
        @Sendable (
            _ k: Int, _ rows: Int, _ weights: UnsafeRawPointer, _ stride: Int, _ panel: UnsafeMutableRawPointer
        ) -> Void

    /// Number of rows in a panel.
    package let panelRows: Int
    /// Elements of a block along k, and bytes of a panel per block.
    private let blockSize: Int, panelBlockBytes: Int
    /// Makes a panel; nil if the kernel reads the rows of the file.
    private let pack: Pack?
    /// Computes the product.
    package let multiply: ProductKernel
    /// The form of the inputs.
    package let input: InputFormat
    /// The smallest number of rows that a thread takes. Where it divides a matrix, chunks begin at multiples of this.
    let chunkRows: Int
    /// Number of columns that are computed while a chunk of weights stays in the cache.
    let columnTile: Int

    private static let usualColumnTile = 32

    /// Whether weights are packed. If not, a panel is a row of the file.
    package var isPacked: Bool { pack != nil }

    /// A kernel that reads the rows of the file.
    init(
        input: InputFormat, chunkRows: Int = 8, columnTile: Int = Self.usualColumnTile,
        multiply: @escaping ProductKernel
    ) {
        self.input = input
        self.chunkRows = chunkRows
        self.columnTile = columnTile
        panelRows = 1
        blockSize = 1
        panelBlockBytes = 0
        pack = nil
        self.multiply = multiply
    }

    /// A kernel that reads panels.
    init(
        input: InputFormat, panelRows: Int, blockSize: Int, panelBlockBytes: Int, pack: @escaping Pack,
        multiply: @escaping ProductKernel
    ) {
        self.input = input
        chunkRows = max(panelRows, 8)
        columnTile = Self.usualColumnTile
        self.panelRows = panelRows
        self.blockSize = blockSize
        self.panelBlockBytes = panelBlockBytes
        self.pack = pack
        self.multiply = multiply
    }

    /// Bytes from panel to panel for rows of `k` elements, a multiple of 64; 0 if the kernel reads the rows of the
    /// file.
    package func panelBytes(_ k: Int) -> Int { ((k + blockSize - 1) / blockSize * panelBlockBytes + 63) & ~63 }

    /// Number of panels for `rows` rows.
    package func panels(_ rows: Int) -> Int { (rows + panelRows - 1) / panelRows }

    /// Packs panel `index` of a matrix of `rows` rows of `k` elements, `stride` bytes apart, to its place among the
    /// panels at `panels`. Does nothing if the kernel reads the rows of the file.
    package func packPanel(
        _ index: Int, of rows: Int, k: Int, _ weights: UnsafeRawPointer, stride: Int,
        into panels: UnsafeMutableRawPointer
    ) {
        let first = index * panelRows
        pack?(
            k, min(panelRows, rows - first), weights + first * stride, stride, panels + index * panelBytes(k))
    }
}
