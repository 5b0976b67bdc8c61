// Dequantisation against values computed by the reference implementation of the format.

import InferGGUF
import InferTensors
import TestSupport
import Testing

struct DequantizationTests {
    /// The random blocks that Tools/make-known-answers makes for a type.
    private static func blocks(_ answer: KnownAnswer) -> [UInt8] {
        var source = SeededGenerator(UInt64(answer.type.rawValue))
        var bytes = (0..<2 * answer.type.blockBytes).map { _ in UInt8(truncatingIfNeeded: source.next()) }
        for start in stride(from: 0, to: bytes.count, by: answer.type.blockBytes) {
            for offset in answer.halves {
                let half = source.next() & 0x83ff | 0x2000
                bytes[start + offset] = UInt8(truncatingIfNeeded: half)
                bytes[start + offset + 1] = UInt8(truncatingIfNeeded: half >> 8)
            }
        }
        return bytes
    }

    @Test(arguments: KnownAnswer.all)
    func valuesAreTheFormats(_ answer: KnownAnswer) throws {
        let format = try #require(TensorFormat(answer.type))
        let count = 2 * answer.type.blockSize
        #expect(format.blockBytes == answer.type.blockBytes && format.blockSize == answer.type.blockSize)
        var values = [Float](repeating: .nan, count: count + 2)
        Self.blocks(answer).withUnsafeBytes { format.dequantize(count, $0.baseAddress!, into: &values) }
        #expect(stride(from: 0, to: count, by: count / 8).map { values[$0] }.bits == answer.values.bits)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in values.prefix(count) {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes in
                for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
        }
        #expect(hash == answer.hash)
        #expect(values.suffix(2).allSatisfy { $0.isNaN }, "nothing beyond the last value is written")
    }

    @Test func floatTypes() throws {
        func values(_ type: TensorType, _ bytes: [UInt8]) throws -> [Float] {
            var values = [Float](repeating: .nan, count: bytes.count / type.blockBytes)
            let format = try #require(TensorFormat(type))
            bytes.withUnsafeBytes { format.dequantize(values.count, $0.baseAddress!, into: &values) }
            return values
        }
        #expect(try values(.f32, [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]) == [1, -2.5])
        #expect(
            try values(.f16, [0, 0x3c, 0x01, 0, 0xff, 0x7b, 0, 0xfc, 0, 0x80, 0xff, 0x03]).bits
                == [1, 0x1p-24, 65504, -.infinity, -0.0, 0x1.ff8p-15].bits)
        #expect(try values(.f16, [1, 0x7c])[0].isNaN)
        #expect(try values(.bf16, [0x80, 0x3f, 0x20, 0xc0]) == [1, -2.5])
    }

    @Test func everyTypeIsRegisteredOnce() {
        let supported = Set(TensorFormat.supportedTypes)
        #expect(supported.count == 16)
        #expect(TensorFormat.all.map(\.type) == TensorFormat.supportedTypes)
        for format in TensorFormat.all {
            #expect(format.blockBytes == format.type.blockBytes && format.blockSize == format.type.blockSize)
            #expect(TensorFormat(named: format.name)?.type == format.type)
            #expect(TensorFormat(named: "\(format.type)")?.type == format.type)
            // A type without a C kernel works, but slowly.
            for tuned in tunedKernelSets { #expect(tuned.weights(format.type)?.isPacked == true, "\(format.name)") }
        }
        #expect(TensorFormat(named: "q4_k_m") == nil)
        for id in 0...64 as ClosedRange<UInt32> {
            let type = TensorType(rawValue: id)
            #expect((TensorFormat(type) != nil) == supported.contains(type))
            for kernels in kernelSets { #expect((kernels.weights(type) != nil) == supported.contains(type)) }
        }
    }
}
