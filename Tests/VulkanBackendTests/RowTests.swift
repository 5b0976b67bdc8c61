// Operations on rows, routing, and views on the device: they agree with the processor.

import InferTensors
import InferVulkan
import TestSupport
import Testing

@Suite("Rows on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct RowTests {
    private static let rows = 5

    /// Runs `body` on the processor and on the device; all values agree to 10⁻⁵ of the largest, and NaN is in the same places.
    private func compare(_ body: (any Backend) throws -> [Float]) throws {
        let device = try Device.shared.get()
        let wanted = try body(CPUBackend(threads: 1)), found = try body(device)
        let scale = wanted.reduce(1) { max($0, abs($1)) }
        #expect(wanted.count == found.count && wanted.contains { $0 != 0 })
        #expect(zip(wanted, found).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
        let message = device.validationMessages.first
        #expect(message == nil)
    }

    private func make(_ backend: any Backend, _ columns: Int, rows: Int = Self.rows, seed: UInt64, range: Float = 3)
        throws
        -> Activations
    {
        var generator = SeededGenerator(seed)
        let x = try backend.makeActivations(rows: rows, columns: columns)
        backend.write(generator.floats(rows * columns, range: range), to: x)
        return x
    }

    private func values(_ backend: any Backend, _ x: Activations) -> [Float] {
        backend.read(x, rows: x.rows) { Array($0) }
    }

    @Test(
        "Activations",
        arguments: [Activation.silu, .gelu, .identity, .sigmoid, .softplus, .squaredReLU, .clampedSwiGLU])
    func activations(_ activation: Activation) throws {
        try compare { backend in
            let x = try make(backend, 200, seed: 1, range: 30), up = try make(backend, 200, seed: 2)
            backend.gate(x, up, rows: Self.rows, activation, into: up)
            if activation != .clampedSwiGLU { backend.activate(x, rows: Self.rows, activation) }
            return values(backend, x) + values(backend, up)
        }
    }

    @Test("Norms whose groups have weights of their own", arguments: [false, true])
    func groups(isCentred: Bool) throws {
        try compare { backend in
            let x = try make(backend, 6 * 20, seed: 1), y = try backend.makeActivations(rows: Self.rows, columns: 120)
            var generator = SeededGenerator(4)
            let weight = try backend.makeVector(generator.floats(60)),
                bias = try backend.makeVector(generator.floats(60))
            if isCentred {
                backend.layerNorm(x, rows: Self.rows, width: 20, weight: weight, bias: bias, epsilon: 1e-5, into: y)
            } else {
                backend.rmsNorm(x, rows: Self.rows, width: 20, weight: weight, epsilon: 1e-5, into: y)
            }
            return values(backend, y)
        }
    }

    @Test("Factors, rates and copies of groups of columns")
    func columns() throws {
        try compare { backend in
            let x = try make(backend, 60, seed: 1), y = try make(backend, 60, seed: 2)
            let factors = try make(backend, 5, seed: 3)
            var generator = SeededGenerator(4)
            backend.scaleRows(x, rows: Self.rows, by: factors)
            backend.add(y, scales: try backend.makeVector(generator.floats(3)), to: x, rows: Self.rows)
            backend.decay(y, rows: Self.rows, rates: try backend.makeVector(generator.floats(20)))
            let z = try make(backend, 33, seed: 5)
            backend.copyColumns(
                x, rows: Self.rows, ColumnCopy(count: 3, of: 7, from: 2, every: 19, to: 1, every: 11), into: z)
            return values(backend, x) + values(backend, y) + values(backend, z)
        }
    }

    @Test("Rotations from a dimension on", arguments: [RotaryPairing.adjacent, .halves])
    func rotations(_ pairing: RotaryPairing) throws {
        try compare { backend in
            let x = try make(backend, 3 * 28, seed: 1), angles = try make(backend, 12, seed: 2)
            backend.rotate(
                x, rows: Self.rows, headDimension: 28, offset: 16, rotation: angles, pairing: pairing)
            return values(backend, x)
        }
    }

    /// A way of routing.
    struct Routing: Sendable {
        var gating = RoutingParameters.Gating.sigmoid
        var normalises = true, hasBias = false, hasScales = false
        var groups = 1, groupsUsed = 1
        var smallestSum: Float = 0
    }

    @Test(
        "Experts and their weights",
        arguments: [
            Routing(), Routing(gating: .softmaxThenTop, hasBias: true, hasScales: true),
            Routing(gating: .topThenSoftmax),
            Routing(hasBias: true, groups: 5, groupsUsed: 2),
            Routing(gating: .softmaxThenTop, groups: 8, groupsUsed: 3),
            Routing(gating: .topThenSoftmax, normalises: false, hasBias: true),
            Routing(normalises: false, hasScales: true),
            Routing(hasBias: true, smallestSum: 40), Routing(gating: .softmaxThenTop, normalises: false),
        ], [40, 1000])
    func routing(_ routing: Routing, _ count: Int) throws {
        let experts = min(count, 40), columns = 16, used = 6
        try compare { backend in
            // Few values, so that there are ties.
            let logits = try backend.makeActivations(rows: Self.rows, columns: experts)
            var generator = SeededGenerator(UInt64(count))
            backend.write(
                (0..<Self.rows * experts).map { _ in Float(Int.random(in: -4...4, using: &generator)) / 2 }, to: logits)
            var parameters = RoutingParameters(
                gating: routing.gating, normalisesWeights: routing.normalises, weightScale: 1.5)
            parameters.smallestSum = routing.smallestSum
            let bias = (0..<experts).map { _ in Float(Int.random(in: -2...2, using: &generator)) }
            if routing.hasBias { parameters.selectionBias = try backend.makeVector(bias) }
            if routing.hasScales { parameters.expertScales = try backend.makeVector(generator.floats(experts)) }
            (parameters.groupCount, parameters.groupsUsed) = (routing.groups, routing.groupsUsed)
            let chosen = try backend.makeRouting(rows: Self.rows, expertsUsed: used)
            backend.route(logits, rows: Self.rows, parameters, into: chosen)
            // Each expert has values of its own, so that the sums tell which ones were chosen.
            let matrix = try backend.makeMatrix(
                generator.floats(experts * columns * 3), columns: 3, rows: columns, experts: experts)
            let x = try make(backend, 3, seed: 8),
                y = try backend.makeActivations(rows: Self.rows * used, columns: columns)
            backend.multiplyExperts(x, rows: Self.rows, [Projection(matrix, bias: nil, into: y)], chosen)
            let sum = try backend.makeActivations(rows: Self.rows, columns: columns)
            backend.combineExperts(y, rows: Self.rows, chosen, into: sum)
            return values(backend, sum) + values(backend, y)
        }
    }

    @Test("Matrices by head: each head's part of a row", arguments: [(8, 16), (12, 20), (7, 5), (16, 3), (1, 1)])
    func heads(_ length: (inputs: Int, outputs: Int)) throws {
        let heads = 5
        try compare { backend in
            var generator = SeededGenerator(9)
            let matrix = try backend.makeMatrix(
                generator.floats(heads * length.inputs * length.outputs), columns: length.inputs, rows: length.outputs,
                experts: heads)
            let x = try make(backend, heads * length.inputs, seed: 1)
            let y = try make(backend, heads * length.outputs, seed: 2)
            let routing = try backend.makeRouting(rows: Self.rows, expertsUsed: heads)
            backend.routeToAll(rows: Self.rows, into: routing)
            backend.multiplyExperts(
                backend.makeView(of: x, columns: length.inputs), rows: Self.rows,
                [Projection(matrix, bias: nil, into: backend.makeView(of: y, columns: length.outputs))], routing)
            return values(backend, y)
        }
    }
}
