// Conversion of values and of whole tensors to every type.

import Foundation
import InferGGUF
import InferSupport
import InferTensors
import TestSupport
import Testing

struct QuantizerTests {
    /// Types, and upper bounds of the mean squared error of normally distributed values, relative to their mean square.
    static let bounds: [(type: TensorType, error: Double)] = [
        (.q4_0, 8.5e-3), (.q4_1, 6.5e-3), (.q5_0, 2.1e-3), (.q5_1, 1.5e-3), (.q8_0, 3.5e-5), (.q2_K, 7.5e-2),
        (.q3_K, 2.7e-2), (.q4_K, 6e-3), (.q5_K, 1.4e-3), (.q6_K, 4e-4), (.iq4_nl, 6.5e-3), (.iq4_xs, 6e-3),
        (.mxfp4, 1.5e-2), (.bf16, 4e-6), (.f16, 1e-7), (.f32, 0),
    ]
    private static let blockTypes = bounds.map(\.type).filter { $0.blockSize > 1 }

    /// `values` after quantising and dequantising.
    private func roundTrip(_ values: [Float], _ type: TensorType) throws -> [Float] {
        var copy = [Float](repeating: .nan, count: values.count)
        let bytes = try quantized(values, type)
        let format = try #require(TensorFormat(type))
        format.dequantize(values.count, bytes, into: &copy)
        return copy
    }

    /// The bytes of `values` in `type`. Checks that nothing is written beyond them.
    private func quantized(_ values: [Float], _ type: TensorType) throws -> [UInt8] {
        let quantizer = try #require(Quantizer(type))
        let count = values.count / type.blockSize * type.blockBytes
        var bytes = [UInt8](repeating: 0xa5, count: count + 64)
        let fault = withAligned(values) { quantizer.quantize(values.count, $0, into: &bytes) }
        #expect(fault == nil)
        #expect(bytes.suffix(64).allSatisfy { $0 == 0xa5 })
        return Array(bytes.prefix(count))
    }

    private func withAligned<R>(_ values: [Float], _ body: (UnsafePointer<Float>) -> R) -> R {
        withUnsafeTemporaryAllocation(byteCount: values.count * 4, alignment: 64) { buffer in
            let aligned = buffer.bindMemory(to: Float.self)
            _ = aligned.initialize(from: values)
            return body(UnsafePointer(aligned.baseAddress.unsafelyUnwrapped))
        }
    }

    /// Approximately normally distributed values: sums of twelve uniform ones.
    private func normal(_ count: Int, deviation: Float, seed: UInt64) -> [Float] {
        var source = SeededGenerator(seed)
        return (0..<count).map { _ in source.floats(12).reduce(0, +) / 2 * deviation }
    }

    /// Σ (a − b)² / Σ b².
    private func relativeError(_ a: [Float], _ b: [Float]) -> Double {
        let squares = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return squares / b.reduce(0.0) { $0 + Double($1) * Double($1) }
    }

    @Test(arguments: bounds)
    func errorsAreSmall(type: TensorType, bound: Double) throws {
        // Typical scales of weights, and some that are far from them.
        for deviation in [0.02, 1, 300, 1e-3] as [Float] {
            let values = normal(16 * 256, deviation: deviation, seed: 1)
            #expect(relativeError(try roundTrip(values, type), values) <= bound)
        }
    }

    @Test(arguments: blockTypes)
    func representableValuesAreUnchanged(type: TensorType) throws {
        let once = try roundTrip(normal(8 * 256, deviation: 0.05, seed: 2), type)
        let twice = try roundTrip(once, type)
        if type.blockSize == 32 {
            #expect(twice == once)
        } else {
            // Another pair of scale and factor may be as close.
            #expect(relativeError(twice, once) < 2e-4)
        }
    }

    @Test(arguments: blockTypes)
    func zerosStayZeros(type: TensorType) throws {
        #expect(try roundTrip([Float](repeating: 0, count: 512), type) == [Float](repeating: 0, count: 512))
        #expect(try roundTrip([Float](repeating: -1e-30, count: 256), type).allSatisfy { $0.magnitude <= 1e-30 })
    }

    /// A single large value of either sign is preserved; its neighbours stay close to zero.
    @Test(arguments: blockTypes, [2.5, -2.5] as [Float])
    func singleValues(type: TensorType, value: Float) throws {
        for place in [0, 31, 100, 255] {
            var values = [Float](repeating: 0, count: 256)
            values[place] = value
            let copy = try roundTrip(values, type)
            #expect((copy[place] - value).magnitude < 0.01 * 2.5 || type == .mxfp4)
            #expect((copy[place] - value).magnitude <= 0.5)
            #expect(copy.indices.allSatisfy { $0 == place || copy[$0].magnitude < 0.02 })
        }
    }

    @Test(arguments: blockTypes)
    func constantValues(type: TensorType) throws {
        for value in [0.75, -0.75] as [Float] {
            let copy = try roundTrip([Float](repeating: value, count: 256), type)
            #expect(copy.allSatisfy { ($0 - value).magnitude < 0.02 })
        }
    }

    @Test(arguments: bounds.map(\.type))
    func valuesThatAreNotNumbersAreRefused(type: TensorType) throws {
        let quantizer = try #require(Quantizer(type))
        for value in [Float.nan, .infinity, -.infinity] {
            var values = [Float](repeating: 1, count: 256)
            values[200] = value
            var bytes = [UInt8](repeating: 0, count: 2048)
            #expect(withAligned(values) { quantizer.quantize(256, $0, into: &bytes) } == .notFinite)
        }
    }

    @Test(arguments: bounds.map(\.type).filter { ![.f32, .bf16, .mxfp4].contains($0) })
    func valuesBeyondTheTypeAreRefused(type: TensorType) throws {
        let quantizer = try #require(Quantizer(type))
        for value in [1e9, -1e9, 3e38] as [Float] {
            var values = [Float](repeating: 1, count: 256)
            values[17] = value
            var bytes = [UInt8](repeating: 0, count: 2048)
            #expect(withAligned(values) { quantizer.quantize(256, $0, into: &bytes) } == .tooLarge)
        }
    }

    @Test func plainTypesRoundToEven() throws {
        let values: [Float] = [1, -2.5, 0x1.01p0, 0x1.03p0, 0x1.002p0, 0x1.006p0, 65504, -0.0]
        #expect(try roundTrip(values, .f32).bits == values.bits)
        #expect(try roundTrip(values, .bf16).bits == [1, -2.5, 1, 0x1.04p0, 1, 1, 65536, -0.0].bits)
        #expect(try roundTrip(values, .f16).bits == [1, -2.5, 0x1.01p0, 0x1.03p0, 1, 0x1.008p0, 65504, -0.0].bits)
    }

    @Test func bytesAreKnown() throws {
        // The scale is 2⁻⁷; quanta start at −127.
        let block = try quantized((0..<32).map { Float($0 * 8 - 127) * 0x1p-7 }, .q8_0)
        let quanta = (0..<32).map { UInt8(bitPattern: Int8($0 * 8 - 127)) }
        #expect(block == [0x00, 0x20] + quanta)
        // All values of E2M1 with the scale 2. Both zeros become nibble 0.
        let levels: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]
        let packed = try quantized((levels + levels).map { 2 * $0 }, .mxfp4)
        let nibbles = (UInt8(0)..<16).map { $0 == 8 ? 0 : $0 * 0x11 }
        #expect(packed == [128] + nibbles)
    }

    @Test func otherTypesHaveNoQuantizer() {
        for id in 0...64 as ClosedRange<UInt32> {
            let type = TensorType(rawValue: id)
            #expect((Quantizer(type) != nil) == TensorFormat.supportedTypes.contains(type))
        }
    }
}

struct TensorConverterTests {
    /// The bytes of the tensor `w` after conversion.
    private func converted(_ model: TemporaryModel, to type: TensorType, threads: Int) throws -> [UInt8] {
        let tensor = try #require(model.file.tensor("w"))
        let converter = try TensorConverter(threads: threads)
        let quantizer = try #require(Quantizer(type))
        var writer = GGUFWriter()
        try writer.addTensor("w", type: type, shape: tensor.shape) { sink throws(InferenceError) in
            try converter.convert(tensor, of: model.file, with: quantizer, to: &sink) { _ throws(InferenceError) in }
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).gguf").path
        defer { unlink(path) }
        try writer.write(to: path)
        let file = try GGUFFile(path: path)
        return try Array(file.bytes(of: #require(file.tensor("w"))))
    }

    private func model(_ values: [Float], columns: Int) throws -> TemporaryModel {
        let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        return try TemporaryModel([
            (name: "w", type: .f32, shape: [columns, values.count / columns], bytes: bytes)
        ])
    }

    /// The tensor is larger than a batch of one thread, smaller than a batch of three, and not a multiple of a piece.
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
        // Every piece is in its place.
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
