// Products of weights of any type by a BLAS library, in calls that all have the same shape.

import InferGGUF
package import InferSupport
import Synchronization

/// Multiplies weights that it converts to f32 by inputs in f32.
///
/// A library chooses its code by the shape of a call, and its code for an output by the place in the matrix: OpenBLAS for
/// Haswell adds products in another order in columns 12 to 15 of sixteen than in the first twelve. So a call never has the
/// width of the step. It always has ``rows`` rows, ``columns`` columns and, but for the end of k, ``depth`` elements of
/// k; what a step does not fill is zero. A product is made only if ``isIndependent`` finds the bits of a column the same
/// at every place and beside any others. So drafting, prompts' chunks and threads change no bit.
package struct BLASProduct: Sendable {
    /// Weight rows of a call, and elements of k of all calls but the last. 64 × 512 floats fit the second cache.
    static let rows = 64, depth = 512
    /// The last call's elements of k are filled up to a multiple of this.
    private static let grain = 64
    /// The most columns that are computed while a panel of converted weights stays in the cache.
    static let widest = 512
    /// The numbers of columns to choose from, the fastest first. With sixteen, prompts would be about 20 % faster and a
    /// step of one token slower by more than half. One column has no neighbours, but may depend on addresses.
    private static let columnChoices = [8, 4, 1]

    private let library: BLASLibrary
    /// Columns of a call.
    package let columns: Int
    private let memory = BLASMemory()

    /// Chooses the number of columns.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if the results of the library depend on the place of a column.
    package init(_ library: BLASLibrary) throws(InferenceError) {
        self.library = library
        guard let columns = Self.columnChoices.first(where: { Self.isIndependent(library, columns: $0) }) else {
            throw InferenceError(
                .invalidArgument,
                "\(library.description) computes an output differently at different places, so drafting would change results"
            )
        }
        self.columns = columns
    }

    /// The kernel for weights of a type, which reads the rows of the file.
    func kernel(_ format: TensorFormat) -> WeightKernel {
        let (product, dequantize) = (self, format.dequantizer)
        let depthBytes = Self.depth / format.blockSize * format.blockBytes
        return WeightKernel(input: .float, chunkRows: Self.rows, columnTile: Self.widest) {
            product.multiply($0, depthBytes: depthBytes, dequantize)
        }
    }

    /// Computes a product in panels of ``rows`` rows; they begin at the same rows however rows are divided into products,
    /// because these have whole panels but at the end.
    private func multiply(_ product: Product, depthBytes: Int, _ dequantize: TensorFormat.Dequantizer) {
        memory.withPage { page in
            for firstRow in stride(from: 0, to: product.rows, by: Self.rows) {
                for firstColumn in stride(from: 0, to: product.columns, by: Self.widest) {
                    multiply(
                        product, firstRow..<min(firstRow + Self.rows, product.rows),
                        firstColumn..<min(firstColumn + Self.widest, product.columns), depthBytes, dequantize, page)
                }
            }
        }
    }

    private func multiply(
        _ product: Product, _ rows: Range<Int>, _ range: Range<Int>, _ depthBytes: Int,
        _ dequantize: TensorFormat.Dequantizer, _ page: BLASMemory.Page
    ) {
        for start in stride(from: 0, to: product.k, by: Self.depth) {
            let count = min(Self.depth, product.k - start)
            let depth = (count + Self.grain - 1) / Self.grain * Self.grain
            for row in 0..<Self.rows {
                let values = page.weights + row * depth
                var filled = 0
                if row < rows.count {
                    dequantize(
                        count,
                        product.weights + (rows.lowerBound + row) * product.weightStride
                            + start / Self.depth * depthBytes, values)
                    filled = count
                }
                (values + filled).update(repeating: 0, count: depth - filled)
            }
            for tile in stride(from: 0, to: range.count, by: columns) {
                for column in 0..<columns {
                    let values = page.inputs + column * depth
                    var filled = 0
                    if tile + column < range.count {
                        let input = product.input(range.lowerBound + tile + column).assumingMemoryBound(to: Float.self)
                        values.update(from: input + start, count: count)
                        filled = count
                    }
                    (values + filled).update(repeating: 0, count: depth - filled)
                }
                library.multiply(
                    Self.rows, columns, depth, page.weights, depth, page.inputs, depth, adds: start > 0,
                    into: page.outputs + tile * Self.rows)
            }
        }
        for column in range {
            let (tile, lane) = (column - range.lowerBound).quotientAndRemainder(dividingBy: columns)
            let values = page.outputs + tile * columns * Self.rows + lane
            let output = product.output(column)
            for row in rows { output[row] = values[(row - rows.lowerBound) * columns] }
        }
    }

    // MARK: The check

    /// Whether a column has the same bits at every place of a call and beside zeros and other columns, for every depth of
    /// a call.
    static func isIndependent(_ library: BLASLibrary, columns: Int) -> Bool {
        var state: UInt32 = 1
        func fill(_ values: UnsafeMutablePointer<Float>, _ count: Int, range: Float) {
            for i in 0..<count {
                state = state &* 1_664_525 &+ 1_013_904_223
                values[i] = (Float(state >> 8) * 0x1p-23 - 1) * range
            }
        }
        return BLASMemory().withPage { page in
            fill(page.weights, rows * depth, range: 1)
            var column = [Float](repeating: 0, count: depth)
            var sums = [Float](repeating: 0, count: rows)
            column.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { fill(base, depth, range: 1) } }
            for depth in stride(from: grain, through: depth, by: grain) {
                for adds in [false, true] {
                    var expected: [UInt32]?
                    for place in 0..<columns {
                        for range: Float in [0, 1000] {
                            fill(page.inputs, columns * depth, range: range)
                            fill(page.outputs, columns * rows, range: range)
                            for i in 0..<depth { page.inputs[place * depth + i] = column[i] }
                            for row in 0..<rows { page.outputs[row * columns + place] = column[row] }
                            library.multiply(
                                rows, columns, depth, page.weights, depth, page.inputs, depth, adds: adds,
                                into: page.outputs)
                            for row in 0..<rows { sums[row] = page.outputs[row * columns + place] }
                            let bits = sums.map(\.bitPattern)
                            guard bits == expected ?? bits else { return false }
                            expected = bits
                        }
                    }
                }
            }
            return true
        }
    }
}

/// Memory for the operands of calls: a page for each call that is in progress, kept for the next one.
private final class BLASMemory: Sendable {
    /// The operands of a product's calls.
    struct Page: @unchecked Sendable {
        /// A panel of weights, the inputs of a call, and the outputs of all calls with this panel.
        let weights: UnsafeMutablePointer<Float>, inputs: UnsafeMutablePointer<Float>
        let outputs: UnsafeMutablePointer<Float>

        private static let inputCount = 16 * BLASProduct.depth
        private static let outputCount = (BLASProduct.widest + 16) * BLASProduct.rows

        init() {
            let weightCount = BLASProduct.rows * BLASProduct.depth
            let count = weightCount + Self.inputCount + Self.outputCount
            let base = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 128)
            weights = base.bindMemory(to: Float.self, capacity: count)
            weights.initialize(repeating: 0, count: count)
            inputs = weights + weightCount
            outputs = inputs + Self.inputCount
        }
    }

    private let pages = Mutex<[Page]>([])

    deinit {
        pages.withLock { for page in $0 { page.weights.deallocate() } }
    }

    /// Calls `body` with a page that no other call has.
    func withPage<Value>(_ body: (Page) -> Value) -> Value {
        let page = pages.withLock { $0.popLast() } ?? Page()
        defer { pages.withLock { $0.append(page) } }
        return body(page)
    }
}
