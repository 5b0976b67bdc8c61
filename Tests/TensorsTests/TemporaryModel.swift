// Tensors written to a temporary GGUF file, for tests of what reads from one.

import Foundation
import InferGGUF
import InferSupport
import InferTensors

/// A GGUF file with the given tensors and no metadata; removed when the object goes.
final class TemporaryModel {
    /// The opened file.
    let file: GGUFFile
    private let path: String

    /// Writes tensors of those names, types, shapes and bytes.
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

/// A vector of those values, as a model would hold them.
func makeVector(_ values: [Float], with backend: CPUBackend) throws -> WeightVector {
    let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    let model = try TemporaryModel([(name: "v", type: .f32, shape: [values.count], bytes: bytes)])
    guard let tensor = model.file.tensor("v") else { throw InferenceError(.malformedModel, "no tensor v") }
    return try backend.makeVector(tensor, of: model.file)
}
