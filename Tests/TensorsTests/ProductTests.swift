// Product kernels: comparison with double precision, of Swift with C, and independence of columns.

import InferGGUF
import InferTensors
import TestSupport
import Testing

struct ProductTests {
    private static let types = TensorFormat.supportedTypes

    private static func extents(_ type: TensorType) -> [Int] {
        switch type.blockSize {
        case 1: [1, 7, 8, 9, 16, 23, 64, 100, 2100]
        case 32: [32, 64, 160]
        default: [256, 768]
        }
    }

    /// The error relative to ‖w‖·‖x‖. Inputs of most kernels of quantised types are rounded to eight bits per block.
    @Test(arguments: types)
    func agreesWithDoublePrecision(_ type: TensorType) throws {
        var source = SeededGenerator(1)
        let format = try #require(TensorFormat(type))
        for k in Self.extents(type) {
            let weights = SampleWeights.rows(type, 1, k: k, using: &source)
            let x = source.floats(k)
            var w = [Float](repeating: 0, count: k)
            weights.withUnsafeBytes { format.dequantize(k, $0.baseAddress!, into: &w) }
            let exact = zip(w, x).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let norm = (w.reduce(0.0) { $0 + Double($1) * Double($1) } * x.reduce(0.0) { $0 + Double($1) * Double($1) })
                .squareRoot()
            for kernels in kernelSets + libraryKernelSets {
                let tolerance = try #require(kernels.weights(type)).input == .float ? 1e-6 : 0.012
                let product = kernels.multiply(type, weights, rows: 1, k: k, [x])
                #expect(abs(Double(product[0][0]) - exact) <= tolerance * norm, "\(kernels.name), k = \(k)")
            }
        }
    }

    @Test(arguments: types)
    func swiftAndCGiveTheSameBits(_ type: TensorType) throws {
        var source = SeededGenerator(2)
        for k in Self.extents(type) {
            for (rows, columns) in [(1, 1), (8, 4), (11, 6), (5, 3), (40, 7), (64, 5)] {
                let weights = SampleWeights.rows(type, rows, k: k, using: &source)
                let inputs = (0..<columns).map { _ in source.floats(k, range: 10) }
                let reference = ReferenceKernels().multiply(type, weights, rows: rows, k: k, inputs)
                for tuned in tunedKernelSets {
                    let product = tuned.multiply(type, weights, rows: rows, k: k, inputs)
                    #expect(
                        product.joined().bits == reference.joined().bits,
                        "\(tuned.name), \(rows) × \(columns), k = \(k)")
                }
            }
        }
    }

    @Test(arguments: types)
    func aColumnDoesNotDependOnTheOthers(_ type: TensorType) throws {
        var source = SeededGenerator(3)
        let k = type.blockSize == 1 ? 2100 : type.blockSize * 2
        let rows = 9
        let weights = SampleWeights.rows(type, rows, k: k, using: &source)
        let inputs = (0..<64).map { _ in source.floats(k) }
        for kernels in tunedKernelSets + libraryKernelSets {
            let alone = inputs.map { kernels.multiply(type, weights, rows: rows, k: k, [$0])[0].bits }
            for width in 2...64 {
                let together = kernels.multiply(type, weights, rows: rows, k: k, Array(inputs.prefix(width)))
                #expect(together.map(\.bits) == Array(alone.prefix(width)), "\(kernels.name), width \(width)")
            }
        }
    }

    /// Weights with all bits set or clear, and with factors that are NaN, infinite or subnormal.
    @Test(arguments: types)
    func extremeBlocksAgreeAndDoNotTrap(_ type: TensorType) throws {
        let k = type.blockSize == 1 ? 33 : type.blockSize
        for byte in [0x00, 0x01, 0x7c, 0x7f, 0x80, 0xff] as [UInt8] {
            let weights = [UInt8](repeating: byte, count: k / type.blockSize * type.blockBytes)
            for sign in [-1, 1] as [Float] {
                let x = [Float](repeating: sign * 3, count: k)
                let reference = ReferenceKernels().multiply(type, weights, rows: 1, k: k, [x])
                for tuned in tunedKernelSets {
                    let product = tuned.multiply(type, weights, rows: 1, k: k, [x])
                    #expect(product[0].bits == reference[0].bits, "\(tuned.name), byte \(byte)")
                }
            }
        }
    }

    @Test(arguments: types)
    func rowListsChooseInputsAndOutputsAndNothingElseIsWritten(_ type: TensorType) throws {
        var source = SeededGenerator(4)
        let k = type.blockSize == 1 ? 20 : type.blockSize
        let rows = 10, stride = rows + 6
        let weights = SampleWeights.rows(type, rows, k: k, using: &source)
        let inputs = (0..<4).map { _ in source.floats(k) }
        let inputRows: [Int32] = [3, 0, 3], outputRows: [Int32] = [1, 4, 2]
        for kernels in kernelSets + libraryKernelSets {
            let expected = kernels.multiply(type, weights, rows: rows, k: k, inputs)
            let kernel = try #require(kernels.weights(type))
            let panels = Panels(kernel, weights, rows: rows, k: k)
            let inputStride = kernel.input.rowBytes(k)
            var blocks = [UInt8](repeating: 0, count: inputStride * inputs.count)
            for (row, input) in inputs.enumerated() {
                blocks.withUnsafeMutableBytes {
                    kernels.quantize(k, input, as: kernel.input, into: $0.baseAddress! + row * inputStride)
                }
            }
            var outputs = [Float](repeating: 12345, count: stride * 6)
            outputs.withUnsafeMutableBufferPointer { outputs in
                panels.bytes.withUnsafeBytes { weights in
                    blocks.withUnsafeBytes { blocks in
                        kernel.multiply(
                            Product(
                                k: k, rows: rows, weights: weights.baseAddress!, weightStride: panels.stride,
                                columns: 3, inputs: blocks.baseAddress!, inputStride: inputStride, inputRows: inputRows,
                                outputs: outputs.baseAddress!, outputStride: stride, outputRows: outputRows))
                    }
                }
            }
            var wanted = [Float](repeating: 12345, count: stride * 6)
            for (input, output) in zip(inputRows, outputRows) {
                wanted.replaceSubrange(
                    Int(output) * stride..<Int(output) * stride + rows, with: expected[Int(input)])
            }
            #expect(outputs.bits == wanted.bits, "\(kernels.name)")
        }
    }
}
