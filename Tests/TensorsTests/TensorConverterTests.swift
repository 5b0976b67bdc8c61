// Converting whole tensors of a file.

import Foundation
import InferGGUF
import InferSupport
import InferTensors
import TestSupport
import Testing

struct TensorConverterTests {
    /// The bytes that the tensor named `name` has after conversion.
    private func converted(_ model: TemporaryModel, to type: TensorType, threads: Int) throws -> [UInt8] {
        let tensor = try #require(model.file.tensor("w"))
        let converter = try TensorConverter(threads: threads)
        let quantizer = try #require(Quantizer(type))
        var writer = GGUFWriter()
        try writer.addTensor("w", type: type, shape: tensor.shape) { sink throws(InferenceError) in
            try converter.convert(tensor, of: model.file, with: quantizer, to: &sink) { _ throws(InferenceError) in }
        }
        let file = try TemporaryModel(writer).file
        return try Array(file.bytes(of: #require(file.tensor("w"))))
    }

    private func model(_ values: [Float], columns: Int) throws -> TemporaryModel {
        let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        return try TemporaryModel([
            (name: "w", type: .f32, shape: [columns, values.count / columns], bytes: bytes)
        ])
    }

    /// More than a batch of one thread, less than one of three, no whole number of pieces.
    @Test(arguments: [TensorType.q4_K, .q5_1, .f16]) func threadsDoNotChangeTheBytes(type: TensorType) throws {
        var source = SeededGenerator(3)
        let values = source.floats(768 * 301)
        let model = try model(values, columns: 768)
        let bytes = try converted(model, to: type, threads: 1)
        #expect(try converted(model, to: type, threads: 2) == bytes)
        #expect(try converted(model, to: type, threads: 3) == bytes)
        var copy = [Float](repeating: .nan, count: values.count)
        let format = try #require(TensorFormat(type))
        bytes.withUnsafeBytes { format.dequantize(values.count, $0.baseAddress!, into: &copy) }
        // Every piece is where it belongs.
        #expect(zip(values, copy).allSatisfy { ($0 - $1).magnitude < 0.15 })
    }

    @Test func aFaultNamesTheTensor() throws {
        var values = [Float](repeating: 1, count: 64 * 4096)
        values[64 * 4000] = .nan
        let model = try model(values, columns: 64)
        let error = #expect(throws: InferenceError.self) { try self.converted(model, to: .q8_0, threads: 2) }
        #expect(error?.code == .malformedModel)
        #expect(error?.message.hasSuffix("tensor w cannot become Q8_0: it contains NaN or infinity") == true)
    }

    @Test func typesThatCannotBeReadAreNamed() throws {
        let model = try TemporaryModel([
            (name: "w", type: TensorType(rawValue: 24), shape: [32, 2], bytes: [UInt8](repeating: 1, count: 64))
        ])
        let error = #expect(throws: InferenceError.self) { try self.converted(model, to: .q8_0, threads: 1) }
        #expect(error?.code == .unsupportedTensorType)
        #expect(error?.message.contains("tensor w is I8") == true)
    }
}
