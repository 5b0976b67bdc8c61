// exp, tanh, f16 conversion, and equal bits of the row kernels in Swift and C.

import Foundation
import InferGGUF
import InferTensors
import TestSupport
import Testing

struct MathTests {
    /// The error in units of the last place of the exact value.
    private static func ulps(_ value: Float, _ exact: Double) -> Double {
        abs(Double(value) - exact) / Double(Float(exact).ulp)
    }

    /// Arguments from the whole range, more densely around zero.
    private static let arguments: [Float] = {
        var source = SeededGenerator(5)
        let edges: [Float] = [0, -0.0, 1e-30, -1e-30, 88.7, -87.3, -95, -103.9, 0.624999, 0.625, -0.625]
        return edges + source.floats(1000, range: 88) + source.floats(1000, range: 1) + source.floats(200, range: 1e-3)
    }()

    private static let special: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30, 200, -200, 88.9, -104.1]

    @Test func expIsAccurate() {
        let values = ReferenceKernels().map(Self.arguments) { kernels in { kernels.exp($0, $1, into: $2) } }
        var worst = 0.0
        for (x, y) in zip(Self.arguments, values) { worst = max(worst, Self.ulps(y, Foundation.exp(Double(x)))) }
        #expect(worst < 1.2)
    }

    @Test func tanhIsAccurate() {
        let values = ReferenceKernels().map(Self.arguments) { kernels in { kernels.tanh($0, $1, into: $2) } }
        var worst = 0.0
        for (x, y) in zip(Self.arguments, values) { worst = max(worst, Self.ulps(y, Foundation.tanh(Double(x)))) }
        #expect(worst < 2.5)
    }

    @Test func softplusIsAccurate() {
        let values = ReferenceKernels().map(Self.arguments) { kernels in
            { kernels.gate($0, $1, nil, .softplus, into: $2) }
        }
        var worst = 0.0
        for (x, y) in zip(Self.arguments, values) {
            let exact = max(Double(x), 0) + Foundation.log1p(Foundation.exp(-abs(Double(x))))
            worst = max(worst, Self.ulps(y, exact))
        }
        #expect(worst < 3)
    }

    @Test func specialArguments() {
        let exp = ReferenceKernels().map(Self.special) { kernels in { kernels.exp($0, $1, into: $2) } }
        #expect(exp.bits == [.nan, .infinity, 0, .infinity, 0, .infinity, 0, .infinity, 0].bits)
        let tanh = ReferenceKernels().map(Self.special) { kernels in { kernels.tanh($0, $1, into: $2) } }
        #expect(tanh.bits == [.nan, 1, -1, 1, -1, 1, -1, 1, -1].bits)
    }

    @Test func swiftAndCFunctionsGiveTheSameBits() {
        for tuned in tunedKernelSets {
            let reference = ReferenceKernels()
            let x = Self.arguments + Self.special
            #expect(
                tuned.map(x) { kernels in { kernels.exp($0, $1, into: $2) } }.bits
                    == reference.map(x) { kernels in { kernels.exp($0, $1, into: $2) } }.bits)
            #expect(
                tuned.map(x) { kernels in { kernels.tanh($0, $1, into: $2) } }.bits
                    == reference.map(x) { kernels in { kernels.tanh($0, $1, into: $2) } }.bits)
            let up = Array(x.reversed())
            for activation in [
                Activation.silu, .gelu, .clampedSwiGLU, .identity, .sigmoid, .softplus, .squaredReLU,
            ] {
                #expect(
                    tuned.map(x) { kernels in { kernels.gate($0, $1, up, activation, into: $2) } }.bits
                        == reference.map(x) { kernels in { kernels.gate($0, $1, up, activation, into: $2) } }.bits)
                #expect(
                    tuned.map(x) { kernels in { kernels.gate($0, $1, nil, activation, into: $2) } }.bits
                        == reference.map(x) { kernels in { kernels.gate($0, $1, nil, activation, into: $2) } }.bits)
            }
        }
    }

    @Test func activationsFollowTheirFormulas() {
        let x: [Float] = [-20, -3, -0.5, 0, 0.25, 1, 6.5, 30]
        let up: [Float] = [1, -9, 2, 3, -0.5, 9, 1, -2]
        func check(_ activation: Activation, _ tolerance: Double, _ formula: (Double, Double) -> Double) {
            let y = ReferenceKernels().map(x) { kernels in { kernels.gate($0, $1, up, activation, into: $2) } }
            for i in x.indices {
                let exact = formula(Double(x[i]), Double(up[i]))
                #expect(abs(Double(y[i]) - exact) <= tolerance * max(1e-3, abs(exact)), "\(activation) of \(x[i])")
            }
        }
        check(.silu, 1e-6) { $0 / (1 + Foundation.exp(-$0)) * $1 }
        check(.gelu, 1e-5) {
            0.5 * $0 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) * $1
        }
        check(.identity, 0) { $0 * $1 }
        check(.sigmoid, 1e-6) { $1 / (1 + Foundation.exp(-$0)) }
        check(.softplus, 1e-6) { Foundation.log1p(Foundation.exp($0)) * $1 }
        check(.squaredReLU, 1e-6) { max($0, 0) * max($0, 0) * $1 }
        check(.clampedSwiGLU, 1e-6) { gate, up in
            let g = min(gate, 7)
            return g / (1 + Foundation.exp(-1.702 * g)) * (min(max(up, -7), 7) + 1)
        }
    }

    /// Every f16 is its own nearest f16, and the midpoint between two neighbours rounds to the even one.
    @Test func halvesRoundToNearestEven() throws {
        let format = try #require(TensorFormat(.f16))
        let all = (0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 }
        var values = [Float](repeating: 0, count: all.count)
        all.withUnsafeBytes { format.dequantize(all.count, $0.baseAddress!, into: &values) }
        for kernels in kernelSets {
            var bits = [UInt16](repeating: 0, count: all.count)
            kernels.store(values.count, values, as: .f16, into: &bits)
            #expect(bits == all, "\(kernels.name)")
            var midpoints: [Float] = [], even: [UInt16] = []
            for (index, half) in all.enumerated() where half < 0x7bff {
                midpoints.append((values[index] + values[index + 1]) / 2)
                even.append(half % 2 == 0 ? half : half + 1)
            }
            bits = [UInt16](repeating: 0, count: midpoints.count)
            kernels.store(midpoints.count, midpoints, as: .f16, into: &bits)
            #expect(bits == even, "\(kernels.name)")
            let extremes: [Float] = [65519.99, 65520, 1e9, -.infinity, 2.98e-8, 2.99e-8]
            kernels.store(extremes.count, extremes, as: .f16, into: &bits)
            #expect(Array(bits.prefix(6)) == [0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 1], "\(kernels.name)")
        }
    }

    @Test(arguments: [1, 5, 8, 12, 16, 31, 64, 100])
    func normsGiveTheSameBitsAndFollowTheirFormulas(_ count: Int) {
        var source = SeededGenerator(UInt64(count))
        let x = source.floats(count, range: 3), weight = source.floats(count), bias = source.floats(count)
        let exact = x.map { Double($0) }
        let mean = exact.reduce(0, +) / Double(count)
        let square = exact.reduce(0) { $0 + $1 * $1 } / Double(count)
        let variance = exact.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        var results: [[UInt32]] = []
        for kernels in kernelSets {
            // Two values beyond the row must not change.
            var rms = x + [7, 8], layer = x + [7, 8], plain = x + [7, 8]
            kernels.rmsNorm(count, x, weight, epsilon: 1e-5, into: &rms)
            kernels.layerNorm(count, x, weight, bias, epsilon: 1e-5, into: &layer)
            kernels.layerNorm(count, x, weight, nil, epsilon: 1e-5, into: &plain)
            for i in 0..<count {
                let normalised = (exact[i] - mean) / (variance + 1e-5).squareRoot() * Double(weight[i])
                #expect(abs(Double(rms[i]) - exact[i] / (square + 1e-5).squareRoot() * Double(weight[i])) < 1e-5)
                #expect(abs(Double(layer[i]) - normalised - Double(bias[i])) < 1e-5)
                #expect(abs(Double(plain[i]) - normalised) < 1e-5)
            }
            #expect(rms.suffix(2) == [7, 8] && layer.suffix(2) == [7, 8] && plain.suffix(2) == [7, 8])
            results.append((rms + layer + plain).bits)
        }
        #expect(Set(results).count == 1)
    }

    @Test(arguments: [1, 2, 9, 16, 40, 129])
    func softmaxGivesTheSameBitsAndSumsToOne(_ count: Int) {
        var source = SeededGenerator(UInt64(count))
        let scores = source.floats(count, range: 30)
        for (cap, sink) in [(0, -Float.infinity), (0, 2), (50, -.infinity), (5, 40)] as [(Float, Float)] {
            var results: [[UInt32]] = []
            for kernels in kernelSets {
                var values = scores + [7, 8]
                let sum = kernels.softmax(count, &values, scale: 0.3, cap: cap, sink: sink)
                let exact = scores.map { score -> Double in
                    let scaled = Double(score) * Double(0.3 as Float)
                    return cap > 0 ? Double(cap) * Foundation.tanh(scaled / Double(cap)) : scaled
                }
                let total = exact.reduce(sink.isFinite ? Foundation.exp(Double(sink)) : 0) { $0 + Foundation.exp($1) }
                for i in 0..<count {
                    #expect(abs(Double(values[i]) / Double(sum) - Foundation.exp(exact[i]) / total) < 2e-6)
                }
                #expect(values.suffix(2) == [7, 8])
                results.append((values + [sum]).bits)
            }
            #expect(Set(results).count == 1)
        }
    }

    @Test func rotationsGiveTheSameBitsAndKeepLengths() {
        var source = SeededGenerator(6)
        let x = source.floats(26)
        let rotation = (0..<12).flatMap { i in [Float(Foundation.cos(Double(i))), Float(Foundation.sin(Double(i)))] }
        for pairing in [RotaryPairing.adjacent, .halves] {
            var results: [[UInt32]] = []
            for kernels in kernelSets {
                var y = x
                kernels.rotate(12, &y, by: rotation, pairing)
                for i in 0..<12 {
                    let (a, b) = pairing == .adjacent ? (2 * i, 2 * i + 1) : (i, i + 12)
                    let cosine = Foundation.cos(Double(i)), sine = Foundation.sin(Double(i))
                    #expect(abs(Double(y[a]) - (Double(x[a]) * cosine - Double(x[b]) * sine)) < 1e-6)
                    #expect(abs(Double(y[b]) - (Double(x[a]) * sine + Double(x[b]) * cosine)) < 1e-6)
                }
                #expect(y.suffix(2) == x.suffix(2))
                results.append(y.bits)
            }
            #expect(Set(results).count == 1)
        }
    }
}
