// Products on the device: every type agrees with the processor, and every width has the bits of single rows.

import Foundation
import InferGGUF
import InferTensors
import InferVulkan
import TestSupport
import Testing

@Suite("Products on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct ProductTests {
    /// Values that repeat after a prime number of elements, so that no two rows are alike.
    private static func values(_ count: Int, seed: Int) -> [Float] {
        (0..<count).map { Float(($0 &* 7919 &+ seed &* 104_729) % 2003) / 1001 - 1 }
    }

    /// A file with a matrix `w` of that type, and a bias `b`.
    static func file(_ type: TensorType, columns: Int, rows: Int) throws -> GGUFFile {
        let quantizer = try #require(Quantizer(type))
        let source = values(columns * rows, seed: 1)
        var bytes = [UInt8](repeating: 0, count: source.count / type.blockSize * type.blockBytes)
        let fault = source.withUnsafeBufferPointer { values in
            values.baseAddress.map { quantizer.quantize(source.count, $0, into: &bytes) } ?? .notFinite
        }
        #expect(fault == nil)
        var writer = GGUFWriter()
        try writer.addTensor("w", type: type, shape: [columns, rows], elements: bytes)
        try writer.addTensor("b", type: .f32, shape: [rows], elements: values(rows, seed: 2))
        return try TemporaryModel(writer).file
    }

    /// The products of the first rows of the inputs, `width` at a time.
    private static func products(
        _ backend: any Backend, _ file: GGUFFile, _ inputs: [Float], columns: Int, rows: Int, width: Int
    ) throws -> [Float] {
        let tensor = try #require(file.tensor("w")), offset = try #require(file.tensor("b"))
        let weight = try backend.makeMatrix(tensor, rows: 0..<rows, of: file)
        let bias = try backend.makeVector(offset, of: file)
        let x = try backend.makeActivations(rows: width, columns: columns)
        let y = try backend.makeActivations(rows: width, columns: rows)
        var found: [Float] = []
        for start in stride(from: 0, to: inputs.count, by: width * columns) {
            let part = Array(inputs[start..<min(start + width * columns, inputs.count)])
            backend.write(part, to: x)
            backend.multiply(x, rows: part.count / columns, [Projection(weight, bias: bias, into: y)])
            found += backend.read(y, rows: part.count / columns) { Array($0) }
        }
        return found
    }

    @Test("Every type agrees with the processor, and the width changes no bit", arguments: TensorFormat.supportedTypes)
    func types(_ type: TensorType) throws {
        let device = try Device.shared.get()
        // Rows that do not fill a tile; floats that do not fill their groups of eight.
        let columns = type.blockSize == 1 ? 301 : 1280, rows = 71, count = 64
        let file = try Self.file(type, columns: columns, rows: rows)
        let inputs = Self.values(count * columns, seed: 3)
        let wanted = try Self.products(
            CPUBackend(threads: 1), file, inputs, columns: columns, rows: rows, width: count)
        let found = try Self.products(device, file, inputs, columns: columns, rows: rows, width: count)
        let scale = wanted.reduce(0) { max($0, abs($1)) }
        #expect(zip(wanted, found).allSatisfy { abs($0 - $1) <= 1e-4 * scale })
        for width in [1, 2, 3, 8, 13] {
            let narrow = try Self.products(device, file, inputs, columns: columns, rows: rows, width: width)
            #expect(narrow.map(\.bitPattern) == found.map(\.bitPattern), "width \(width)")
        }
        let first = device.validationMessages.first
        #expect(first == nil)
    }

    @Test("Rows of an embedding table have the values that the format defines", arguments: TensorFormat.supportedTypes)
    func tables(_ type: TensorType) throws {
        let device = try Device.shared.get(), host = try CPUBackend(threads: 1)
        let columns = type.blockSize == 1 ? 301 : 256
        let file = try Self.file(type, columns: columns, rows: 9)
        let tensor = try #require(file.tensor("w"))
        let rows = try [device as any Backend, host].map { backend in
            let x = try backend.makeActivations(rows: 3, columns: columns)
            backend.embed([8, 0, 5], try backend.makeTable(tensor, of: file), scale: 1.5, into: x)
            return backend.read(x, rows: 3) { $0.map(\.bitPattern) }
        }
        #expect(rows[0] == rows[1])
    }

    @Test("NaN stays in its row")
    func notNumbers() throws {
        let device = try Device.shared.get()
        for type in [TensorType.f32, .q8_0, .q4_K] {
            let file = try Self.file(type, columns: 256, rows: 5)
            var inputs = Self.values(3 * 256, seed: 4)
            let clean = try Self.products(device, file, inputs, columns: 256, rows: 5, width: 3)
            inputs[256 + 17] = .nan
            let found = try Self.products(device, file, inputs, columns: 256, rows: 5, width: 3)
            #expect(found[..<5] == clean[..<5] && found[10...] == clean[10...])
            #expect(found[5..<10].allSatisfy { $0.isNaN })
        }
    }
}
