// The operands of the Vulkan backend: handles to memory of the device.

import InferGGUF
import InferTensors
import Synchronization

/// A weight matrix, or a stack of them.
final class VulkanWeightMatrix: WeightMatrix, @unchecked Sendable {
    let planes: WeightPlanes

    init(_ planes: WeightPlanes, type: TensorType, columns: Int, rows: Int, experts: Int) {
        self.planes = planes
        super.init(type: type, columns: columns, rows: rows, experts: experts)
    }
}

/// A table of rows to look up.
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
    let address: UInt64

    init(_ buffer: DeviceBuffer, at offset: Int, count: Int) {
        self.buffer = buffer
        address = buffer.address + UInt64(offset)
        super.init(count: count)
    }
}

/// Rows of activations, each padded with zeros to eights.
final class VulkanActivations: Activations, @unchecked Sendable {
    let buffer: DeviceBuffer
    /// Floats from row to row.
    let stride: Int
    /// What the host reads of it, and what that holds.
    let readBack = Mutex<ReadBack>(ReadBack())

    init(_ buffer: DeviceBuffer, rows: Int, columns: Int) {
        self.buffer = buffer
        stride = Self.stride(columns)
        super.init(rows: rows, columns: columns)
    }

    var address: UInt64 { buffer.address }

    /// Where row `row` begins.
    func address(ofRow row: Int) -> UInt64 { address + UInt64(4 * row * stride) }

    /// Floats of a row of `columns` values, with its padding.
    static func stride(_ columns: Int) -> Int { (columns + 7) & ~7 }
}

/// Rows of activations as the host sees them.
struct ReadBack {
    var buffer: DeviceBuffer?
    /// How many rows were copied, when as many operations had been recorded.
    var rows = 0
    var operations: UInt64 = 0
}

/// The experts chosen for each row.
final class VulkanExpertRouting: ExpertRouting, @unchecked Sendable {
    private let buffer: DeviceBuffer
    /// Of choice j of row i, at i · used + j: its expert, and its weight.
    let experts: UInt64, weights: UInt64

    init(_ buffer: DeviceBuffer, rows: Int, expertsUsed: Int) {
        self.buffer = buffer
        experts = buffer.address
        weights = buffer.address + UInt64(4 * rows * expertsUsed)
        super.init(rows: rows, expertsUsed: expertsUsed)
    }

    /// Bytes of the routing of that many choices.
    static func byteCount(rows: Int, expertsUsed: Int) -> Int { 8 * rows * expertsUsed }
}
