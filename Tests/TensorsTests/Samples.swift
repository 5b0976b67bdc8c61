// Random numbers, weights of every type, and temporary models, for all tests.

import Foundation
import InferGGUF
import InferSupport
import InferTensors
import TestSupport

/// Random weight rows of every type, with realistic scales.
enum SampleWeights {
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
            let offsets = TensorFormat(type)?.layout?.factorOffsets ?? []
            for block in stride(from: 0, to: bytes.count, by: type.blockBytes) {
                for offset in offsets {
                    let scale = half(Float.random(in: -0.05...0.05, using: &source))
                    bytes[block + offset] = UInt8(truncatingIfNeeded: scale)
                    bytes[block + offset + 1] = UInt8(scale >> 8)
                }
                if offsets.isEmpty { bytes[block] = UInt8.random(in: 120...130, using: &source) }
            }
            return bytes
        }
    }

    private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// The f16 bits of a value, as the store to the cache computes them.
    static func half(_ value: Float) -> UInt16 {
        var bits: UInt16 = 0
        withUnsafePointer(to: value) { ReferenceKernels().store(1, $0, as: .f16, into: &bits) }
        return bits
    }
}

/// A vector of the model with these values.
func makeVector(_ values: [Float], with backend: CPUBackend) throws -> WeightVector {
    let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    let model = try TemporaryModel([(name: "v", type: .f32, shape: [values.count], bytes: bytes)])
    guard let tensor = model.file.tensor("v") else { throw InferenceError(.malformedModel, "no tensor v") }
    return try backend.makeVector(tensor, of: model.file)
}
