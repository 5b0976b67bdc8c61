// Random numbers, weights of every type, and temporary models, for all tests.

import Foundation
import InferGGUF
import InferSupport
import InferTensors

/// SplitMix64 (Steele, Lea, Flood 2014).
struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// `count` values in −range...range.
    mutating func floats(_ count: Int, range: Float = 1) -> [Float] {
        (0..<count).map { _ in Float.random(in: -range...range, using: &self) }
    }
}

/// Random weight rows of every type, with realistic scales.
enum SampleWeights {
    /// `rows` rows of `k` elements, `k` a multiple of the type's block size.
    static func rows(_ type: TensorType, _ rows: Int, k: Int, using source: inout RandomSource) -> [UInt8] {
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

/// A GGUF file with the given tensors and no metadata. It is removed with the object.
final class TemporaryModel {
    /// The opened file.
    let file: GGUFFile
    private let path: String

    /// Writes tensors with these names, types, shapes and bytes.
    init(_ tensors: [(name: String, type: TensorType, shape: [Int], bytes: [UInt8])]) throws {
        var writer = GGUFWriter()
        for tensor in tensors {
            try writer.addTensor(tensor.name, type: tensor.type, shape: tensor.shape, elements: tensor.bytes)
        }
        path = FileManager.default.temporaryDirectory.appendingPathComponent("tensors-\(UUID().uuidString).gguf").path
        try writer.write(to: path)
        file = try GGUFFile(path: path)
    }

    deinit { unlink(path) }
}

/// A vector of the model with these values.
func makeVector(_ values: [Float], with backend: CPUBackend) throws -> WeightVector {
    let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    let model = try TemporaryModel([(name: "v", type: .f32, shape: [values.count], bytes: bytes)])
    guard let tensor = model.file.tensor("v") else { throw InferenceError(.malformedModel, "no tensor v") }
    return try backend.makeVector(tensor, of: model.file)
}
