// How an implementation multiplies by the weights of one type.

/// A product kernel and the order in which it wants its weights.
///
/// Weights are in panels of ``panelRows`` rows. Where ``pack`` is nil a panel is a row of the file; otherwise `pack` makes it
/// from that many rows (see `Kernels/README.md` for the layouts).
package struct WeightKernel: Sendable {
    /// Packs `rows` rows, at most ``panelRows``, of `k` elements that are `stride` bytes apart.
    package typealias Pack =
        @Sendable (
            _ k: Int, _ rows: Int, _ weights: UnsafeRawPointer, _ stride: Int, _ panel: UnsafeMutableRawPointer
        ) -> Void

    /// Rows of a panel.
    package let panelRows: Int
    /// Elements of k in a block and the bytes a panel has per block.
    private let blockSize: Int, panelBlockBytes: Int
    /// Makes a panel; nil where the kernel reads the rows of the file.
    private let pack: Pack?
    /// The product; `weights` is where a panel begins, `weightStride` the bytes from panel to panel.
    package let multiply: ProductKernel

    /// Whether weights are packed; otherwise a panel is a row of the file.
    package var isPacked: Bool { pack != nil }

    /// A kernel that reads the rows of the file.
    init(multiply: @escaping ProductKernel) {
        panelRows = 1
        blockSize = 1
        panelBlockBytes = 0
        pack = nil
        self.multiply = multiply
    }

    /// A kernel that reads panels.
    init(
        panelRows: Int, blockSize: Int, panelBlockBytes: Int, pack: @escaping Pack, multiply: @escaping ProductKernel
    ) {
        self.panelRows = panelRows
        self.blockSize = blockSize
        self.panelBlockBytes = panelBlockBytes
        self.pack = pack
        self.multiply = multiply
    }

    /// Bytes from panel to panel of `k` columns, whole cache lines; 0 where the kernel reads the rows of the file.
    package func panelBytes(_ k: Int) -> Int { ((k + blockSize - 1) / blockSize * panelBlockBytes + 63) & ~63 }

    /// Rows that work is cut into at least: a panel, or some rows of the file.
    var chunkRows: Int { max(panelRows, 8) }

    /// Number of panels that hold `rows` rows.
    package func panels(_ rows: Int) -> Int { (rows + panelRows - 1) / panelRows }

    /// Packs panel `index` of a matrix of `rows` rows of `k` elements, `stride` bytes apart, to where it belongs behind
    /// `panels`. Does nothing where the kernel reads the rows of the file.
    package func packPanel(
        _ index: Int, of rows: Int, k: Int, _ weights: UnsafeRawPointer, stride: Int,
        into panels: UnsafeMutableRawPointer
    ) {
        let first = index * panelRows
        pack?(
            k, min(panelRows, rows - first), weights + first * stride, stride, panels + index * panelBytes(k))
    }
}
