// Random weights of any tensor type, made without quantising.

package import InferGGUF
import InferTensors

/// Makes blocks of random quantised values with a given standard deviation. They are useful for timing only, and as slow to
/// compute with as real weights.
package struct RandomWeights {
    /// The type of the weights.
    let type: TensorType
    /// The offsets of a block's f16 factors: of its values, and of its minima for types that have them.
    private let scaleOffset: Int?, minimumOffset: Int?
    /// The second factor divided by the first for which values have mean zero.
    private let minimumRatio: Float
    /// The standard deviation of values in blocks with the factor 1.
    private var unit: Double = 1
    private var state: UInt64

    /// Prepares weights of `type`; nil for a type that is not supported. The same seed gives the same weights.
    package init?(_ type: TensorType, seed: UInt64) {
        guard let format = TensorFormat(type) else { return nil }
        self.type = type
        let layout = format.layout
        let offsets = layout?.factorOffsets ?? []
        scaleOffset = offsets.first
        minimumOffset = offsets.count > 1 ? offsets[1] : nil
        // The mean quantum; super-blocks subtract their minima.
        let quanta = 1 << (layout?.quantumBits ?? 0)
        let mean = Float(quanta - 1) / 2
        minimumRatio = layout?.scaledGroup == nil ? -mean : mean
        state = seed
        guard type.blockSize > 1 else { return }
        let count = 64 * type.blockSize
        let sample = row(columns: count, deviation: 1)
        var values = [Float](repeating: 0, count: count)
        sample.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            values.withUnsafeMutableBufferPointer { values in
                guard let values = values.baseAddress else { return }
                format.dequantize(count, base, into: values)
            }
        }
        unit = (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(count)).squareRoot()
    }

    /// The bytes of the next `columns` weights, a whole number of blocks, with the standard deviation `deviation`.
    package mutating func row(columns: Int, deviation: Float) -> [UInt8] {
        if type.blockSize == 1 { return plainRow(columns, deviation) }
        let blockBytes = type.blockBytes
        let count = columns / type.blockSize * blockBytes
        var bytes = [UInt8](unsafeUninitializedCapacity: (count + 7) / 8 * 8) { buffer, initialized in
            let words = UnsafeMutableRawBufferPointer(buffer)
            for offset in stride(from: 0, to: buffer.count, by: 8) {
                words.storeBytes(of: next(), toByteOffset: offset, as: UInt64.self)
            }
            initialized = buffer.count
        }
        bytes.removeLast(bytes.count - count)
        let scale = deviation / Float(unit)
        let (half, minimum) = (scale.halfBits, (scale * minimumRatio).halfBits)
        for block in stride(from: 0, to: count, by: blockBytes) {
            guard let scaleOffset else {
                // The scale is 2^(byte − 128): round down to a power of two.
                bytes[block] = UInt8(128 + min(max(Int(scale.exponent), -128), 126))
                continue
            }
            Self.store(half, at: block + scaleOffset, in: &bytes)
            if let minimumOffset { Self.store(minimum, at: block + minimumOffset, in: &bytes) }
            // −128 is the one value that quantisers do not produce.
            if type == .q8_0 {
                for index in block + 2..<block + blockBytes where bytes[index] == 0x80 { bytes[index] = 0x81 }
            }
        }
        return bytes
    }

    /// Floating-point weights, uniformly distributed around zero.
    private mutating func plainRow(_ columns: Int, _ deviation: Float) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(columns * type.blockBytes)
        for _ in 0..<columns {
            let uniform = Float(Int64(bitPattern: next()) >> 40) / Float(1 << 23)
            let value = uniform * deviation * Float(3).squareRoot()
            switch type {
            case .f32: withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
            case .f16: withUnsafeBytes(of: value.halfBits.littleEndian) { bytes += $0 }
            default: withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) { bytes += $0 }
            }
        }
        return bytes
    }

    private static func store(_ half: UInt16, at offset: Int, in bytes: inout [UInt8]) {
        bytes[offset] = UInt8(truncatingIfNeeded: half)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: half >> 8)
    }

    /// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
