// Products by a BLAS library: which calls are made, what is refused, and how far results are from those of other kernels.

import InferGGUF
import InferSupport
import InferTensors
import Synchronization
import TestSupport
import Testing

@Suite("Products by a BLAS library")
struct BLASTests {
    /// A product as `cblas_sgemm` defines it, each output a chain of additions in the order that `isReversed` says.
    private static func multiply(
        _ m: Int32, _ n: Int32, _ k: Int32, _ a: UnsafePointer<Float>, _ strideA: Int32, _ b: UnsafePointer<Float>,
        _ strideB: Int32, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ strideC: Int32,
        isReversed: (Int) -> Bool
    ) {
        for i in 0..<Int(m) {
            for j in 0..<Int(n) {
                var sum: Float = 0
                for step in 0..<Int(k) {
                    let index = isReversed(j) ? Int(k) - 1 - step : step
                    sum += a[i * Int(strideA) + index] * b[j * Int(strideB) + index]
                }
                let output = i * Int(strideC) + j
                c[output] = beta == 0 ? sum : beta * c[output] + sum
            }
        }
    }

    private static let calls = Atomic<Int>(0)

    @Test("The widest call whose columns are independent is chosen")
    func choice() throws {
        let uniform = BLASLibrary(description: "uniform") { _, _, _, m, n, k, _, a, sa, b, sb, beta, c, sc in
            Self.multiply(m, n, k, a, sa, b, sb, beta, c, sc) { _ in false }
        }
        #expect(try BLASProduct(uniform).columns == 8)
        let byFours = BLASLibrary(description: "by fours") { _, _, _, m, n, k, _, a, sa, b, sb, beta, c, sc in
            Self.multiply(m, n, k, a, sa, b, sb, beta, c, sc) { $0 >= 4 }
        }
        #expect(try BLASProduct(byFours).columns == 4)
        let byWidth = BLASLibrary(description: "by width") { _, _, _, m, n, k, _, a, sa, b, sb, beta, c, sc in
            Self.multiply(m, n, k, a, sa, b, sb, beta, c, sc) { $0 + 1 < n }
        }
        #expect(try BLASProduct(byWidth).columns == 1)
    }

    @Test("A library that gives other bits from call to call is refused")
    func refusal() throws {
        let fickle = BLASLibrary(description: "Fickle 1.0") { _, _, _, m, n, k, _, a, sa, b, sb, beta, c, sc in
            let call = Self.calls.add(1, ordering: .relaxed).newValue
            Self.multiply(m, n, k, a, sa, b, sb, beta, c, sc) { _ in call % 2 == 0 }
        }
        let error = #expect(throws: InferenceError.self) { try BLASProduct(fickle) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("Fickle 1.0") == true)
    }

    @Test("A library that is missing, or is another one, is named")
    func missing() {
        let absent = #expect(throws: InferenceError.self) { try BLASLibrary(opening: "libnone-of-this-name.so.0") }
        #expect(absent?.code == .invalidArgument)
        #expect(absent?.message.contains("libnone-of-this-name.so.0") == true)
        #if canImport(Glibc)
        let other = #expect(throws: InferenceError.self) { try BLASLibrary(opening: "libm.so.6") }
        #expect(other?.message == "the library libm.so.6 has no function cblas_sgemm")
        #endif
    }

    @Test("The set takes its name from the library, and its other kernels from the processor's set")
    func kernels() throws {
        guard let kernels = libraryKernelSets.first else {
            // Without the library, its choice is an error and no other one needs it.
            #expect(throws: InferenceError.self) { try KernelChoice.blas.makeKernels() }
            _ = try KernelChoice.automatic.makeKernels()
            return
        }
        #expect(kernels.name == BLASLibrary.kernelName && !kernels.hasReferenceBits)
        #expect(try KernelChoice.blas.makeKernels().name == kernels.name)
        #expect((kernels.warning == nil) == !tunedKernelSets.isEmpty)
        let fastest = tunedKernelSets.first?.name ?? kernels.name
        #expect(try KernelChoice.automatic.makeKernels().name == fastest)
    }

    /// Sums of f32 weights differ in their order alone; quantised ones, in that the other kernels round inputs to eight bits.
    @Test("Results are near those of the kernels in Swift, at every width", arguments: TensorFormat.supportedTypes)
    func differences(_ type: TensorType) throws {
        guard let kernels = libraryKernelSets.first else { return }
        var source = SeededGenerator(7)
        // Rows and k that fill no panel and no call; k of more than one call.
        let rows = 70
        let k = type.blockSize == 1 ? 1100 : type.blockSize * (type.blockSize == 32 ? 35 : 5)
        let weights = SampleWeights.rows(type, rows, k: k, using: &source)
        let inputs = (0..<64).map { _ in source.floats(k) }
        let reference = ReferenceKernels().multiply(type, weights, rows: rows, k: k, inputs)
        var values = [Float](repeating: 0, count: rows * k)
        weights.withUnsafeBytes { TensorFormat(type)?.dequantize(rows * k, $0.baseAddress!, into: &values) }
        let norms = (0..<rows).map { row in
            values[row * k..<(row + 1) * k].reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let tolerance: Float = TensorFormat(type)?.input == .float ? 1e-6 : 0.012
        let alone = kernels.multiply(type, weights, rows: rows, k: k, inputs)
        for width in 1...64 {
            let product = kernels.multiply(type, weights, rows: rows, k: k, Array(inputs.prefix(width)))
            #expect(product.map(\.bits) == alone.prefix(width).map(\.bits), "width \(width)")
        }
        for (input, (found, expected)) in zip(inputs, zip(alone, reference)) {
            let norm = input.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for row in 0..<rows {
                #expect(abs(found[row] - expected[row]) <= tolerance * norm * norms[row], "row \(row)")
            }
        }
    }
}
