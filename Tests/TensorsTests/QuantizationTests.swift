// Quantisation of activations and cache entries.

import InferGGUF
import InferTensors
import TestSupport
import Testing

struct QuantizationTests {
    /// The bytes of a row's blocks. Checks that nothing is written beyond them.
    private static func blocks(_ x: [Float], _ format: InputFormat, _ kernels: any KernelSet) -> [UInt8] {
        let count = format.rowBytes(x.count)
        var bytes = [UInt8](repeating: 0xa5, count: count + 64)
        kernels.quantize(x.count, x, as: format, into: &bytes)
        #expect(bytes.suffix(64).allSatisfy { $0 == 0xa5 })
        return Array(bytes.prefix(count))
    }

    private static let rows: [[Float]] = {
        var source = SeededGenerator(12)
        let lengths = [1, 31, 32, 33, 100, 255, 256, 257, 600]
        return lengths.flatMap { [source.floats($0), source.floats($0, range: 1e20), source.floats($0, range: 1e-25)] }
    }()

    @Test(arguments: [InputFormat.blocks32, .blocks256])
    func swiftAndCGiveTheSameBlocks(_ format: InputFormat) {
        for tuned in tunedKernelSets {
            let halves: [Float] = (0..<256).map { Float($0 - 128) + 0.5 } + [127]  // ties, to even
            let tiny: [Float] = [0x1p-101, 0x1p-100, -0x1p-100, 0x1p-149]
            for row in Self.rows + [halves, tiny, [0, -0.0, 0]] {
                let expected = Self.blocks(row, format, ReferenceKernels())
                #expect(Self.blocks(row, format, tuned) == expected)
            }
        }
    }

    @Test(arguments: [InputFormat.blocks32, .blocks256])
    func valuesAreWithinHalfAStep(_ format: InputFormat) {
        let size = format == .blocks32 ? 32 : 256
        let header = format == .blocks32 ? InputFormat.Block32.values : InputFormat.Block256.values
        for kernels in kernelSets {
            for row in Self.rows {
                let bytes = Self.blocks(row, format, kernels)
                for i in row.indices {
                    let block = i / size * (size + header)
                    let scale = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: block, as: Float.self) }
                    let value = Float(Int8(bitPattern: bytes[block + header + i % size])) * scale
                    #expect(abs(value - row[i]) <= scale * 0.5001 + abs(row[i]) * 0x1p-11)
                }
            }
        }
    }

    /// A value that is not finite makes the scale of its block NaN and does not affect other blocks.
    @Test func notFiniteValuesStayInTheirBlock() {
        for kernels in kernelSets {
            for bad in [Float.nan, .infinity, -.infinity] {
                var row = [Float](repeating: 1, count: 96)
                row[40] = bad
                let bytes = Self.blocks(row, .blocks32, kernels)
                let scales = bytes.withUnsafeBytes { raw in
                    (0..<3).map { raw.loadUnaligned(fromByteOffset: $0 * 44, as: Float.self) }
                }
                #expect(scales[1].isNaN && scales[0] == Float(Float16(1.0 / 127)) && scales[2] == scales[0])
                #expect(bytes[56..<88].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func cacheEntriesAreTheSameInSwiftAndC() {
        for tuned in tunedKernelSets {
            for row in Self.rows where row.count.isMultiple(of: 32) {
                var expected = [UInt8](repeating: 0xa5, count: row.count / 32 * 34 + 16)
                var bytes = expected
                ReferenceKernels().store(row.count, row, as: .q8_0, into: &expected)
                tuned.store(row.count, row, as: .q8_0, into: &bytes)
                #expect(bytes == expected)
            }
            for row in Self.rows {
                var expected = [UInt8](repeating: 0xa5, count: row.count * 2 + 16)
                var bytes = expected
                ReferenceKernels().store(row.count, row, as: .f16, into: &expected)
                tuned.store(row.count, row, as: .f16, into: &bytes)
                #expect(bytes == expected)
            }
        }
    }
}
