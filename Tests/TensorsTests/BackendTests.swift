// Operations of the CPU backend on tensors of a file: products, experts, look-ups, and refused tensors.

import InferGGUF
import InferSupport
import InferTensors
import TestSupport
import Testing

struct BackendTests {
    /// A stack of matrices of a type, and matching vectors.
    private static func model(
        _ type: TensorType, columns: Int, rows: Int, experts: Int, seed: UInt64
    ) throws -> TemporaryModel {
        var source = SeededGenerator(seed)
        let shape = experts > 1 ? [columns, rows, experts] : [columns, rows]
        return try TemporaryModel([
            (
                name: "w", type: type, shape: shape,
                bytes: SampleWeights.rows(type, rows * experts, k: columns, using: &source)
            ),
            (
                name: "b", type: .f32, shape: experts > 1 ? [rows, experts] : [rows],
                bytes: SampleWeights.rows(.f32, experts, k: rows, using: &source)
            ),
        ])
    }

    private static func tensor(_ name: String, of model: TemporaryModel) throws -> TensorInfo {
        try #require(model.file.tensor(name))
    }

    private static func values(_ x: Activations, rows: Int, of backend: CPUBackend) -> [Float] {
        backend.read(x, rows: rows) { Array($0) }
    }

    /// `doctor` prints the warning.
    @Test func theScalarKernelsWarnAndTunedOnesDoNot() throws {
        #expect(try KernelChoice.reference.makeKernels().warning?.contains("slower") == true)
        #expect(tunedKernelSets.allSatisfy { $0.warning == nil })
    }

    /// Results do not depend on the number of threads or rows, and a slice of a matrix gives the same results as the
    /// whole.
    @Test(arguments: [TensorType.f16, .q4_1, .q6_K])
    func productsDoNotDependOnThreadsWidthOrSlices(_ type: TensorType) throws {
        let columns = 256, rows = 77, width = 40
        let model = try Self.model(type, columns: columns, rows: rows, experts: 1, seed: 20)
        let tensor = try Self.tensor("w", of: model)
        var source = SeededGenerator(21)
        let inputs = source.floats(width * columns)
        var results: [[UInt32]] = []
        for threads in 1...4 {
            let backend = try CPUBackend(threads: threads)
            #expect(backend.threads == threads)
            let bias = try backend.makeVector(Self.tensor("b", of: model), of: model.file)
            let weight = try backend.makeMatrix(tensor, rows: 0..<rows, of: model.file)
            let head = try backend.makeMatrix(tensor, rows: 0..<30, of: model.file)
            let tail = try backend.makeMatrix(tensor, rows: 30..<rows, of: model.file)
            let x = try backend.makeActivations(rows: width, columns: columns)
            let y = try backend.makeActivations(rows: width, columns: rows)
            let first = try backend.makeActivations(rows: width, columns: 30)
            let rest = try backend.makeActivations(rows: width, columns: rows - 30)
            backend.write(inputs, to: x)
            backend.multiply(
                x, rows: width,
                [
                    Projection(weight, bias: bias, into: y), Projection(head, bias: nil, into: first),
                    Projection(tail, bias: nil, into: rest),
                ])
            let all = Self.values(y, rows: width, of: backend)
            results.append(all.bits)
            let offset = try makeValues(bias, with: backend)
            let heads = Self.values(first, rows: width, of: backend),
                tails = Self.values(rest, rows: width, of: backend)
            for row in 0..<width {
                let parts = heads[row * 30..<(row + 1) * 30] + tails[row * (rows - 30)..<(row + 1) * (rows - 30)]
                #expect(zip(parts, offset).map { $0 + $1 }.bits == all[row * rows..<(row + 1) * rows].bits)
            }
            for row in [0, 7, width - 1] {
                backend.write(Array(inputs[row * columns..<(row + 1) * columns]), to: x)
                backend.multiply(x, rows: 1, [Projection(weight, bias: bias, into: y)])
                #expect(Self.values(y, rows: 1, of: backend).bits == all[row * rows..<(row + 1) * rows].bits)
            }
        }
        #expect(Set(results).count == 1)
    }

    /// The values of a vector of the backend.
    private func makeValues(_ vector: WeightVector, with backend: CPUBackend) throws -> [Float] {
        let zero = try backend.makeActivations(rows: 1, columns: vector.count)
        let model = try TemporaryModel([
            (name: "one", type: .f32, shape: [vector.count], bytes: [UInt8](repeating: 0, count: vector.count * 4))
        ])
        let weight = try backend.makeVector(Self.tensor("one", of: model), of: model.file)
        backend.layerNorm(zero, rows: 1, width: weight.count, weight: weight, bias: vector, epsilon: 1, into: zero)
        return Self.values(zero, rows: 1, of: backend)
    }

    /// The first rows of `x`, one array per row.
    private static func rowValues(_ x: Activations, _ rows: Int, of backend: CPUBackend) -> [[Float]] {
        let flat = values(x, rows: rows, of: backend)
        return (0..<rows).map { Array(flat[$0 * x.columns..<($0 + 1) * x.columns]) }
    }

    /// The bytes of one expert's matrix.
    private static func matrix(_ expert: Int, of tensor: TensorInfo, in model: TemporaryModel) -> [UInt8] {
        let bytes = model.file.bytes(of: tensor)
        let size = bytes.count / tensor.shape[2]
        return Array(bytes[expert * size..<(expert + 1) * size])
    }

    /// Compares experts with products with single matrices: a product of rows, then a product of its results, then
    /// their sum.
    @Test(arguments: [TensorType.f32, .mxfp4, .q4_K])
    func expertsAreProductsWithTheirMatrices(_ type: TensorType) throws {
        let columns = 256, outputs = 20, experts = 5, used = 2, rows = 9
        let model = try Self.model(type, columns: columns, rows: outputs, experts: experts, seed: 22)
        let square = try Self.model(.f32, columns: outputs, rows: 6, experts: experts, seed: 24)
        let stack = try Self.tensor("w", of: model), secondStack = try Self.tensor("w", of: square)
        let backend = try CPUBackend(threads: 2)
        let weight = try backend.makeMatrix(stack, rows: 0..<outputs, of: model.file)
        let second = try backend.makeMatrix(secondStack, rows: 0..<6, of: square.file)
        let bias = try backend.makeVector(Self.tensor("b", of: model), of: model.file)
        #expect(weight.experts == experts && bias.count == experts * outputs)
        let biases = try makeValues(bias, with: backend)
        var source = SeededGenerator(23)
        let inputs = (0..<rows).map { _ in source.floats(columns) }
        let scores = (0..<rows).map { _ in source.floats(experts, range: 2) }
        let x = try backend.makeActivations(rows: rows, columns: columns)
        let router = try backend.makeActivations(rows: rows, columns: experts)
        let y = try backend.makeActivations(rows: rows * used, columns: outputs)
        let z = try backend.makeActivations(rows: rows * used, columns: 6)
        let combined = try backend.makeActivations(rows: rows, columns: 6)
        let routing = try backend.makeRouting(rows: rows, expertsUsed: used)
        backend.write(Array(inputs.joined()), to: x)
        backend.write(Array(scores.joined()), to: router)
        backend.route(
            router, rows: rows, RoutingParameters(gating: .topThenSoftmax, normalisesWeights: false), into: routing)
        backend.multiplyExperts(x, rows: rows, [Projection(weight, bias: bias, into: y)], routing)
        backend.multiplyExperts(y, rows: rows, [Projection(second, bias: nil, into: z)], routing)
        backend.combineExperts(z, rows: rows, routing, into: combined)
        let first = Self.rowValues(y, rows * used, of: backend)
        let last = Self.rowValues(z, rows * used, of: backend)
        let sums = Self.rowValues(combined, rows, of: backend)

        for row in 0..<rows {
            let chosen = (0..<experts).sorted { scores[row][$0] > scores[row][$1] }.prefix(used)
            let numerators = chosen.map { exponential(scores[row][$0] - scores[row][chosen[0]]) }
            var wantedSum = [Double](repeating: 0, count: 6)
            for (index, expert) in chosen.enumerated() {
                let product = backend.kernels.multiply(
                    type, Self.matrix(expert, of: stack, in: model), rows: outputs, k: columns, [inputs[row]])[0]
                let wanted = (0..<outputs).map { product[$0] + biases[expert * outputs + $0] }
                #expect(first[row * used + index].bits == wanted.bits)
                let wantedLast = backend.kernels.multiply(
                    .f32, Self.matrix(expert, of: secondStack, in: square), rows: 6, k: outputs, [wanted])[0]
                #expect(last[row * used + index].bits == wantedLast.bits)
                for i in 0..<6 { wantedSum[i] += numerators[index] / numerators.reduce(0, +) * Double(wantedLast[i]) }
            }
            for i in 0..<6 { #expect(abs(Double(sums[row][i]) - wantedSum[i]) < 1e-4) }
        }
    }

    private func exponential(_ x: Float) -> Double {
        var term = 1.0, sum = 1.0
        for n in 1...60 {
            term *= Double(x) / Double(n)
            sum += term
        }
        return sum
    }

    @Test func routingTiesGoToTheLowerIndexAndWeightsFollowTheRule() throws {
        let backend = try CPUBackend(threads: 1)
        let router = try backend.makeActivations(rows: 2, columns: 4)
        let routing = try backend.makeRouting(rows: 2, expertsUsed: 2)
        let ones = try backend.makeActivations(rows: 4, columns: 1)
        let sums = try backend.makeActivations(rows: 2, columns: 1)
        // With inputs 1 and 10 for the two choices, the weighted sum shows the weight of each.
        backend.write([1, 2, 2, 2, 0, 0, 0, 0], to: router)
        backend.write([1, 10, 1, 10], to: ones)
        for (gating, normalises, scale, expected) in [
            (.topThenSoftmax, false, 1, [5.5, 5.5]), (.softmaxThenTop, true, 2, [11, 11]),
            (.softmaxThenTop, false, 1, [11 * 0.29692, 11 * 0.25]),
        ] as [(RoutingParameters.Gating, Bool, Float, [Float])] {
            backend.route(
                router, rows: 2, RoutingParameters(gating: gating, normalisesWeights: normalises, weightScale: scale),
                into: routing)
            backend.combineExperts(ones, rows: 2, routing, into: sums)
            let values = Self.values(sums, rows: 2, of: backend)
            #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-3 }, "\(values)")
        }
        // Ties: experts 1 and 2 of three, 0 and 1 of four. The matrix of an expert is a multiple of its number.
        let stack: [UInt8] = [1, 2, 3, 4].flatMap { value in
            withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { Array($0) }
        }
        let model = try TemporaryModel([(name: "w", type: .f32, shape: [1, 1, 4], bytes: stack)])
        let weight = try backend.makeMatrix(Self.tensor("w", of: model), rows: 0..<1, of: model.file)
        let x = try backend.makeActivations(rows: 2, columns: 1)
        backend.write([1, 1], to: x)
        backend.multiplyExperts(x, rows: 2, [Projection(weight, bias: nil, into: ones)], routing)
        #expect(Self.values(ones, rows: 4, of: backend) == [2, 3, 1, 2])
    }

    @Test func tablesAndRowOperations() throws {
        let model = try Self.model(.q8_0, columns: 64, rows: 5, experts: 1, seed: 25)
        let tensor = try Self.tensor("w", of: model)
        let backend = try CPUBackend(threads: 2)
        let table = try backend.makeTable(tensor, of: model.file)
        let x = try backend.makeActivations(rows: 3, columns: 64), y = try backend.makeActivations(rows: 3, columns: 64)
        backend.embed([4, 0, 4], table, scale: 2, into: x)
        var all = [Float](repeating: 0, count: 5 * 64)
        let format = try #require(TensorFormat(.q8_0))
        format.dequantize(5 * 64, try #require(model.file.bytes(of: tensor).baseAddress), into: &all)
        let doubled = (all[256...] + all[..<64] + all[256...]).map { $0 * 2 }
        #expect(Self.values(x, rows: 3, of: backend) == doubled)
        backend.gather(x, rows: [1, 0], into: y)
        #expect(Self.values(y, rows: 2, of: backend) == Array(doubled[64..<128] + doubled[..<64]))
        backend.add(y, scale: -1, to: x, rows: 2)
        let difference = zip(doubled[..<128], doubled[64..<128] + doubled[..<64]).map { $0 - $1 }
        #expect(Self.values(x, rows: 2, of: backend) == difference)
        backend.scale(x, rows: 1, by: 3)
        let factors = try backend.makeActivations(rows: 3, columns: 1)
        backend.write([2, 0.5, 7], to: factors)
        backend.scaleRows(x, rows: 2, by: factors)
        #expect(Self.values(x, rows: 1, of: backend) == difference[..<64].map { $0 * 3 * 2 })
    }

    /// Norm, rotation, activation and soft cap: results do not depend on the number of rows or threads.
    @Test func rowOperationsDoNotDependOnThreads() throws {
        var source = SeededGenerator(26)
        let values = source.floats(40 * 768, range: 4), angles = source.floats(40 * 8)
        var results: [[UInt32]] = []
        for threads in [1, 3] {
            let backend = try CPUBackend(threads: threads)
            let weight = try makeVector((0..<96).map { Float($0) / 50 }, with: backend)
            let x = try backend.makeActivations(rows: 40, columns: 768)
            let rotation = try backend.makeActivations(rows: 40, columns: 8)
            backend.write(values, to: x)
            backend.write(angles, to: rotation)
            func apply(_ rows: Int) {
                backend.rmsNorm(x, rows: rows, width: weight.count, weight: weight, epsilon: 1e-6, into: x)
                backend.rotate(x, rows: rows, headDimension: 96, offset: 0, rotation: rotation, pairing: .halves)
                backend.layerNorm(
                    x, rows: rows, width: weight.count, weight: weight, bias: weight, epsilon: 1e-6, into: x)
                backend.gate(x, x, rows: rows, .gelu, into: x)
                backend.activate(x, rows: rows, .silu)
                backend.softCap(x, rows: rows, cap: 2)
            }
            apply(40)
            let all = Self.values(x, rows: 40, of: backend).bits
            results.append(all)
            backend.write(Array(values[..<768]), to: x)
            apply(1)
            #expect(Self.values(x, rows: 1, of: backend).bits == Array(all[..<768]))
        }
        #expect(results[0] == results[1])
    }

    @Test func unusableTensorsAreRefused() throws {
        let model = try TemporaryModel([
            (name: "iq1", type: TensorType(rawValue: 19), shape: [256, 1], bytes: [UInt8](repeating: 0, count: 50)),
            (name: "flat", type: .f32, shape: [4], bytes: [UInt8](repeating: 0, count: 16)),
            (name: "matrix", type: .f32, shape: [4, 2], bytes: [UInt8](repeating: 0, count: 32)),
        ])
        let backend = try CPUBackend(threads: 1)
        let iq1 = try Self.tensor("iq1", of: model), flat = try Self.tensor("flat", of: model)
        let matrix = try Self.tensor("matrix", of: model)
        #expect(!backend.supports(iq1.type) && backend.supports(.q2_K))
        expectRefusal(.unsupportedTensorType) { try backend.makeMatrix(iq1, rows: 0..<1, of: model.file) }
        expectRefusal(.unsupportedTensorType) { try backend.makeVector(iq1, of: model.file) }
        expectRefusal(.unsupportedTensorType) { try backend.makeTable(iq1, of: model.file) }
        expectRefusal(.malformedModel) { try backend.makeMatrix(flat, rows: 0..<2, of: model.file) }
        expectRefusal(.malformedModel) { try backend.makeMatrix(matrix, rows: 0..<3, of: model.file) }
        expectRefusal(.outOfMemory) { try backend.makeActivations(rows: .max / 2, columns: 9) }
        expectRefusal(.outOfMemory) { try backend.makeActivations(rows: 1 << 30, columns: 1 << 28) }
        var shape = KVCacheShape(
            layers: 1 << 20, heads: 1 << 20, keyDimension: 64, valueDimension: 64, slots: 1 << 30, type: .f16)
        expectRefusal(.outOfMemory) { try backend.makeCache(shape) }
        shape = KVCacheShape(layers: 1, heads: 1, keyDimension: 48, valueDimension: 48, slots: 8, type: .q8_0)
        expectRefusal(.invalidArgument) { try backend.makeCache(shape) }
    }
}
