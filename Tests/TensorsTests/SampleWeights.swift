// Random weight rows of every type, with sane scales.

import InferGGUF
import InferTensors
import TestSupport

/// Rows of random blocks.
enum SampleWeights {
    /// Byte offsets of the f16 factors in a block.
    private static func halfOffsets(_ type: TensorType) -> [Int] {
        switch type {
        case .q4_0, .q5_0, .q8_0, .iq4_nl, .iq4_xs: [0]
        case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
        case .q2_K: [80, 82]
        case .q3_K: [108]
        case .q6_K: [208]
        default: []
        }
    }

    /// `rows` rows of `k` elements, `k` a multiple of the type's block size.
    static func rows(_ type: TensorType, _ rows: Int, k: Int, using source: inout SeededGenerator) -> [UInt8] {
        let count = rows * k
        switch type {
        case .f32:
            return source.floats(count).flatMap { value in bytes(value.bitPattern) }
        case .f16:
            return source.floats(count).flatMap { value in bytes(half(value)) }
        case .bf16:
            return source.floats(count).flatMap { value in bytes(UInt16(value.bitPattern >> 16)) }
        default:
            var bytes = (0..<count / type.blockSize * type.blockBytes).map { _ in
                UInt8.random(in: 0...255, using: &source)
            }
            for block in stride(from: 0, to: bytes.count, by: type.blockBytes) {
                for offset in halfOffsets(type) {
                    let scale = half(Float.random(in: -0.05...0.05, using: &source))
                    bytes[block + offset] = UInt8(truncatingIfNeeded: scale)
                    bytes[block + offset + 1] = UInt8(scale >> 8)
                }
                if type == .mxfp4 { bytes[block] = UInt8.random(in: 120...130, using: &source) }
            }
            return bytes
        }
    }

    private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// f16 bits of a value, by way of the cache's store.
    static func half(_ value: Float) -> UInt16 {
        var bits: UInt16 = 0
        withUnsafePointer(to: value) { ReferenceKernels().store(1, $0, as: .f16, into: &bits) }
        return bits
    }
}
