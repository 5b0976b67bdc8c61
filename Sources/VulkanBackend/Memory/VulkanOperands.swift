// The operands of the Vulkan backend: objects that own memory of the device.

import InferGGUF
import InferTensors
import Synchronization

/// A weight matrix, or one matrix per expert.
final class VulkanWeightMatrix: WeightMatrix, @unchecked Sendable {
    let planes: WeightPlanes

    init(_ planes: WeightPlanes, type: TensorType, columns: Int, rows: Int, experts: Int) {
        self.planes = planes
        super.init(type: type, columns: columns, rows: rows, experts: experts)
    }
}

/// A table whose rows are looked up.
final class VulkanEmbeddingTable: EmbeddingTable, @unchecked Sendable {
    let planes: WeightPlanes

    init(_ planes: WeightPlanes, columns: Int, rows: Int) {
        self.planes = planes
        super.init(columns: columns, rows: rows)
    }
}

/// f32 values of the model.
final class VulkanWeightVector: WeightVector, @unchecked Sendable {
    private let buffer: DeviceBuffer
    let address: DeviceAddress

    init(_ buffer: DeviceBuffer, at offset: Int, count: Int) {
        self.buffer = buffer
        address = buffer.address + UInt64(offset)
        super.init(count: count)
    }
}

/// Rows of activations, each padded with zeros to a multiple of eight floats; or a view of such rows as rows of another length.
final class VulkanActivations: Activations, @unchecked Sendable {
    /// A copy of the first rows that the host can read.
    struct ReadBack {
        var buffer: DeviceBuffer?
        /// How many rows were copied, and how many operations had been requested at that time.
        var rows = 0
        var operations: UInt64 = 0
    }

    let buffer: DeviceBuffer
    /// All rows, as an operand.
    let all: DeviceRows
    let readBack = Mutex<ReadBack>(ReadBack())

    init(_ buffer: DeviceBuffer, rows: Int, columns: Int) {
        self.buffer = buffer
        all = DeviceRows(
            buffer: buffer.address, address: buffer.address, columns: columns, stride: Self.stride(columns))
        super.init(rows: rows, columns: columns)
    }

    /// A view of `whole` with rows of `columns` values. They are ordinary rows if they need no padding; otherwise each row of `whole`
    /// is a line of them.
    init(viewOf whole: VulkanActivations, columns: Int) {
        buffer = whole.buffer
        let count = whole.columns / columns
        let isPlain = Self.stride(columns) == columns
        all = DeviceRows(
            buffer: buffer.address, address: buffer.address, columns: columns, stride: columns,
            rowsOfLine: isPlain ? 1 : count, lineStride: isPlain ? columns : whole.all.stride)
        super.init(rows: whole.rows * count, columns: columns)
    }

    /// Floats of a row of `columns` values, with its padding.
    static func stride(_ columns: Int) -> Int { (columns + 7) & ~7 }
}

/// The experts chosen for each row.
final class VulkanExpertRouting: ExpertRouting, @unchecked Sendable {
    private let buffer: DeviceBuffer
    let experts: DeviceExperts

    init(_ buffer: DeviceBuffer, rows: Int, expertsUsed: Int) {
        self.buffer = buffer
        experts = DeviceExperts(
            experts: buffer.address, weights: buffer.address + UInt64(4 * rows * expertsUsed), used: expertsUsed)
        super.init(rows: rows, expertsUsed: expertsUsed)
    }

    /// Bytes of the experts and their weights.
    static func byteCount(rows: Int, expertsUsed: Int) -> Int { 8 * rows * expertsUsed }
}
