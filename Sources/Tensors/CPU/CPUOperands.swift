// The operands of the CPU backend: activations, vectors, tables and matrices in its memory.

import InferGGUF

/// A row-major matrix of f32 values.
package final class CPUActivations: Activations, @unchecked Sendable {
    private let memory: AlignedMemory

    /// The first `rows` × `columns` values of `memory`.
    init(_ memory: AlignedMemory, rows: Int, columns: Int) {
        self.memory = memory
        super.init(rows: rows, columns: columns)
    }

    /// The same memory in rows of `columns` values.
    func view(columns: Int) -> CPUActivations {
        CPUActivations(memory, rows: rows * (self.columns / columns), columns: columns)
    }

    /// The address of row `row`.
    func pointer(row: Int) -> UnsafeMutablePointer<Float> { memory.floats + row * columns }
}

extension Activations {
    /// The address of row `row` of activations of the CPU backend.
    func row(_ row: Int) -> UnsafeMutablePointer<Float> {
        unsafeDowncast(self, to: CPUActivations.self).pointer(row: row)
    }
}

/// f32 values of the model: norm weights, biases or sinks.
package final class CPUWeightVector: WeightVector, @unchecked Sendable {
    private let memory: AlignedMemory
    /// The values.
    var pointer: UnsafePointer<Float> { UnsafePointer(memory.floats) }

    /// The first `count` values of `memory`, which must not change any more.
    init(_ memory: AlignedMemory, count: Int) {
        self.memory = memory
        super.init(count: count)
    }
}

extension WeightVector {
    /// The values of a vector of the CPU backend.
    var values: UnsafePointer<Float> { unsafeDowncast(self, to: CPUWeightVector.self).pointer }
}

/// A matrix in the mapped model file. A look-up dequantises one row.
package final class CPUEmbeddingTable: EmbeddingTable, @unchecked Sendable {
    private let base: UnsafeRawPointer
    private let file: GGUFFile
    private let dequantize: TensorFormat.Dequantizer
    private let rowBytes: Int

    /// The table `tensor`, which begins at `start`.
    init(_ tensor: TensorInfo, _ format: TensorFormat, at start: UnsafeRawPointer, of file: GGUFFile) {
        base = start
        self.file = file
        dequantize = format.dequantizer
        rowBytes = tensor.columns / format.blockSize * format.blockBytes
        super.init(columns: tensor.columns, rows: tensor.rows)
    }

    /// Writes row `row`'s `columns` values.
    func read(_ row: Int, into values: UnsafeMutablePointer<Float>) {
        dequantize(columns, base + row * rowBytes, values)
    }
}

/// A weight matrix, or a stack of them, in the panels that its product kernel reads. Packed panels are in their own
/// memory; rows of the file are in its mapping.
package final class CPUWeightMatrix: WeightMatrix, @unchecked Sendable {
    /// The first panel of the first expert's matrix; `owner` keeps it alive.
    private let base: UnsafeRawPointer
    private let owner: AnyObject
    /// Bytes from panel to panel and from expert to expert.
    let panelBytes: Int, expertBytes: Int
    /// The product kernel of the type, looked up once, when the matrix is made.
    let kernel: WeightKernel
    /// The form of its inputs.
    var input: InputFormat { kernel.input }

    /// A matrix of panels that begin at `base`; `owner` keeps them alive.
    init(
        _ type: TensorType, columns: Int, rows: Int, experts: Int, kernel: WeightKernel,
        at base: UnsafeRawPointer, panelBytes: Int, expertBytes: Int, owner: AnyObject
    ) {
        self.base = base
        self.owner = owner
        self.panelBytes = panelBytes
        self.expertBytes = expertBytes
        self.kernel = kernel
        super.init(type: type, columns: columns, rows: rows, experts: experts)
    }

    /// Multiplies rows `rows` of an expert's matrix, which begin with a panel, by `columns` inputs.
    func multiply(
        _ rows: Range<Int>, expert: Int = 0, columns: Int, inputs: UnsafeRawPointer, inputStride: Int,
        inputRows: UnsafePointer<Int32>? = nil, outputs: UnsafeMutablePointer<Float>, outputStride: Int,
        outputRows: UnsafePointer<Int32>? = nil
    ) {
        kernel.multiply(
            Product(
                k: self.columns, rows: rows.count,
                weights: base + expert * expertBytes + rows.lowerBound / kernel.panelRows * panelBytes,
                weightStride: panelBytes, columns: columns, inputs: inputs, inputStride: inputStride,
                inputRows: inputRows, outputs: outputs + rows.lowerBound, outputStride: outputStride,
                outputRows: outputRows))
    }
}

extension Projection {
    /// The weight as a matrix of the CPU backend.
    var matrix: CPUWeightMatrix { unsafeDowncast(weight, to: CPUWeightMatrix.self) }
}
