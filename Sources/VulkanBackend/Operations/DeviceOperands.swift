// The operands of device operations: addresses in the device's memory, and shapes.

import InferTensors

/// An address in the device's memory.
typealias DeviceAddress = UInt64

/// Rows of f32 values.
struct DeviceRows {
    /// The buffer that holds the rows, identified by its address.
    let buffer: DeviceAddress
    /// The address of the first row.
    let address: DeviceAddress
    let columns: Int
    /// Floats between the beginnings of two consecutive rows, of one line if there are lines.
    let stride: Int
    /// Rows that lie one behind the other in a line, and floats between the beginnings of two lines. Only products with experts take
    /// rows in lines; all others are lines of their own.
    let rowsOfLine: Int, lineStride: Int

    init(
        buffer: DeviceAddress, address: DeviceAddress, columns: Int, stride: Int, rowsOfLine: Int = 1,
        lineStride: Int? = nil
    ) {
        (self.buffer, self.address, self.columns, self.stride) = (buffer, address, columns, stride)
        (self.rowsOfLine, self.lineStride) = (rowsOfLine, lineStride ?? stride)
    }

    /// Where row `row` begins, in floats from the first row.
    func offset(of row: Int) -> Int { row / rowsOfLine * lineStride + row % rowsOfLine * stride }

    /// The same rows without the first `count`, which are whole lines.
    func dropFirst(_ count: Int) -> Self {
        Self(
            buffer: buffer, address: address + UInt64(4 * offset(of: count)), columns: columns, stride: stride,
            rowsOfLine: rowsOfLine, lineStride: lineStride)
    }

    /// Some columns of the rows, from `start` on.
    func dropColumns(_ start: Int) -> Self {
        Self(buffer: buffer, address: address + UInt64(4 * start), columns: columns - start, stride: stride)
    }
}

/// A weight matrix, one matrix per expert, or an embedding table.
struct DeviceWeights {
    /// How the elements are encoded.
    enum Encoding {
        case quantized(PlaneLayout)
        case floats(FloatElement)
    }

    /// The type of float elements.
    enum FloatElement {
        case f32, f16, bf16
    }

    let encoding: Encoding
    /// The planes' addresses. Float weights use `low` alone.
    let low: DeviceAddress, high: DeviceAddress, scales: DeviceAddress, factors: DeviceAddress
    /// Groups of 32 elements in a row of quantised weights, or groups of 8 elements in a row of floats.
    let pieces: Int

    /// The planes of quantised weights; nil for floats.
    var layout: PlaneLayout? {
        if case .quantized(let layout) = encoding { layout } else { nil }
    }
}

/// How products take their inputs: rounded to eight bits, in groups of 32.
struct InputRounding {
    /// Whether eight consecutive groups share one scale.
    let isSuper: Bool
    /// Where the rounded inputs go.
    let inputs: DeviceAddress

    /// Bytes of 32 rounded inputs, with their scale and sums: see `quantize.comp`.
    static let groupBytes = 48
}
