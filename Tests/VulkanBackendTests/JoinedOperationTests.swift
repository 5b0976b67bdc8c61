// Joined operations: the same bits as separate ones, in fewer commands.

import Foundation
import InferGGUF
import InferTensors
import InferVulkan
import TestSupport
import Testing

@Suite("Joined operations on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct JoinedOperationTests {
    /// The end of a layer, as in various models.
    enum Form: String, CaseIterable {
        /// x += down(activation(gate(h)) ⊙ up(h)) with h = norm(x), then the beginning of the next layer.
        case gated
        /// With another norm before the sum.
        case postNorm
        /// Likewise, without a norm after the sum.
        case last
        /// Layer norms, biases, no gate.
        case plain
        /// Experts.
        case mixture
        /// Sums that must not be joined: of a product with its own input, of a sum with itself, of some of the rows.
        case unlike
    }

    /// A layer on its own backend.
    private struct Layer {
        static let columns = 256, inner = 512, experts = 3, used = 2
        let backend: VulkanBackend
        let up: WeightMatrix, down: WeightMatrix, square: WeightMatrix, router: WeightMatrix
        let upOfExperts: WeightMatrix, downOfExperts: WeightMatrix
        let norm: WeightVector, secondNorm: WeightVector, bias: WeightVector
        let x: Activations, h: Activations, y: Activations, gate: Activations, other: Activations
        let logits: Activations, chosenGate: Activations, chosenUp: Activations, chosen: Activations
        let routing: ExpertRouting

        init(_ type: TensorType, rows: Int) throws {
            let backend = try VulkanBackend()
            self.backend = backend
            let (columns, inner) = (Self.columns, Self.inner)
            let shapes: [(String, TensorType, [Int])] = [
                ("up", type, [columns, inner]), ("down", type, [inner, columns]), ("square", type, [columns, columns]),
                ("router", .f32, [columns, Self.experts]), ("ups", type, [columns, inner, Self.experts]),
                ("downs", type, [inner, columns, Self.experts]), ("norm", .f32, [columns]),
                ("second", .f32, [columns]), ("bias", .f32, [columns]),
            ]
            let file = try JoinedOperationTests.file(shapes)
            func matrix(_ name: String) throws -> WeightMatrix {
                let tensor = try #require(file.tensor(name))
                return try backend.makeMatrix(tensor, rows: 0..<tensor.shape[1], of: file)
            }
            func vector(_ name: String) throws -> WeightVector {
                try backend.makeVector(#require(file.tensor(name)), of: file)
            }
            func make(_ columns: Int, _ rows: Int) throws -> Activations {
                try backend.makeActivations(rows: rows, columns: columns)
            }
            (up, down, square) = try (matrix("up"), matrix("down"), matrix("square"))
            (router, upOfExperts, downOfExperts) = try (matrix("router"), matrix("ups"), matrix("downs"))
            (norm, secondNorm, bias) = try (vector("norm"), vector("second"), vector("bias"))
            (x, h, y) = try (make(columns, rows), make(columns, rows), make(columns, rows))
            (gate, other, logits) = try (make(inner, rows), make(inner, rows), make(Self.experts, rows))
            let choices = rows * Self.used
            (chosenGate, chosenUp, chosen) = try (make(inner, choices), make(inner, choices), make(columns, choices))
            routing = try backend.makeRouting(rows: rows, expertsUsed: Self.used)
            backend.write(JoinedOperationTests.values(rows * columns, seed: 5), to: x)
            try backend.finish(reading: [], rows: 0)
        }

        private func rms(_ x: Activations, _ rows: Int, into y: Activations, _ weight: WeightVector? = nil) {
            backend.rmsNorm(
                x, rows: rows, width: (weight ?? norm).count, weight: weight ?? norm, epsilon: 1e-5, into: y)
        }

        private func gated(_ rows: Int, _ activation: Activation) -> [() -> Void] {
            [
                { rms(x, rows, into: h) },
                { backend.multiply(h, rows: rows, [gate, other].map { Projection(up, bias: nil, into: $0) }) },
                { backend.gate(gate, other, rows: rows, activation, into: gate) },
                { backend.multiply(gate, rows: rows, [Projection(down, bias: nil, into: y)]) },
            ]
        }

        private func sum(_ rows: Int) -> () -> Void { { backend.add(y, scale: 0.75, to: x, rows: rows) } }

        private func beginning(_ rows: Int) -> [() -> Void] {
            [
                { rms(x, rows, into: h, secondNorm) },
                { backend.multiply(h, rows: rows, [Projection(up, bias: nil, into: gate)]) },
            ]
        }

        /// The operations of a form, in order.
        func operations(_ form: Form, rows: Int) -> [() -> Void] {
            switch form {
            case .gated: gated(rows, .silu) + [sum(rows)] + beginning(rows)
            case .postNorm:
                gated(rows, .gelu) + [{ rms(y, rows, into: y) }, sum(rows)] + beginning(rows)
            case .last: gated(rows, .gelu) + [{ rms(y, rows, into: y) }, sum(rows)]
            case .plain:
                [
                    {
                        backend.layerNorm(
                            x, rows: rows, width: norm.count, weight: norm, bias: bias, epsilon: 1e-5, into: h)
                    },
                    { backend.multiply(h, rows: rows, [Projection(up, bias: nil, into: gate)]) },
                    { backend.activate(gate, rows: rows, .gelu) },
                    { backend.multiply(gate, rows: rows, [Projection(down, bias: bias, into: y)]) }, sum(rows),
                ]
            case .mixture:
                [
                    { rms(x, rows, into: h) },
                    { backend.multiply(h, rows: rows, [Projection(router, bias: nil, into: logits)]) },
                    {
                        let parameters = RoutingParameters(
                            gating: .softmaxThenTop, normalisesWeights: true, weightScale: 1)
                        backend.route(logits, rows: rows, parameters, into: routing)
                    },
                    {
                        let projections = [chosenGate, chosenUp].map { Projection(upOfExperts, bias: nil, into: $0) }
                        backend.multiplyExperts(h, rows: rows, projections, routing)
                    },
                    { backend.gate(chosenGate, chosenUp, rows: rows * Self.used, .clampedSwiGLU, into: chosenGate) },
                    {
                        let projection = Projection(downOfExperts, bias: nil, into: chosen)
                        backend.multiplyExperts(chosenGate, rows: rows, [projection], routing)
                    },
                    { backend.combineExperts(chosen, rows: rows, routing, into: y) }, sum(rows),
                ] + beginning(rows)
            case .unlike:
                [
                    { backend.multiply(x, rows: rows, [Projection(square, bias: nil, into: y)]) }, sum(rows),
                    { backend.multiply(x, rows: rows, [Projection(square, bias: nil, into: y)]) },
                    { backend.add(y, scale: 0.5, to: y, rows: rows) },
                    { backend.multiply(y, rows: rows, [Projection(square, bias: nil, into: h)]) },
                    { backend.add(h, scale: 0.5, to: x, rows: 1) },
                    { rms(x, rows, into: h) }, { backend.add(h, scale: 0.5, to: x, rows: rows) },
                    { rms(x, rows, into: h) },
                    { backend.multiply(h, rows: 1, [Projection(square, bias: nil, into: y)]) },
                ]
            }
        }

        static let names = ["x", "h", "y", "gate", "gate of experts", "up of experts", "results of experts"]

        /// The bits of everything that was computed.
        func bits(rows: Int) -> [[UInt32]] {
            let choices = rows * Self.used
            let all = [
                (x, rows), (h, rows), (y, rows), (gate, rows), (chosenGate, choices), (chosenUp, choices),
                (chosen, choices),
            ]
            return all.map { backend.read($0, rows: $1) { $0.map(\.bitPattern) } }
        }
    }

    private static func values(_ count: Int, seed: Int) -> [Float] {
        (0..<count).map { Float(($0 &* 7919 &+ seed &* 104_729) % 2003) / 1001 - 1 }
    }

    private static func file(_ tensors: [(name: String, type: TensorType, shape: [Int])]) throws -> GGUFFile {
        var writer = GGUFWriter()
        for (seed, tensor) in tensors.enumerated() {
            let source = values(tensor.shape.reduce(1, *), seed: seed)
            if tensor.type == .f32 {
                try writer.addTensor(tensor.name, type: .f32, shape: tensor.shape, elements: source)
            } else {
                let quantizer = try #require(Quantizer(tensor.type))
                let byteCount = source.count / tensor.type.blockSize * tensor.type.blockBytes
                var bytes = [UInt8](repeating: 0, count: byteCount)
                let fault = source.withUnsafeBufferPointer { values in
                    values.baseAddress.map { quantizer.quantize(source.count, $0, into: &bytes) } ?? .notFinite
                }
                #expect(fault == nil)
                try writer.addTensor(tensor.name, type: tensor.type, shape: tensor.shape, elements: bytes)
            }
        }
        return try TemporaryModel(writer).file
    }

    @Test("Joined operations have the bits of separate ones", arguments: Form.allCases, [TensorType.f32, .q4_1, .q4_K])
    func bits(_ form: Form, _ type: TensorType) throws {
        for rows in [1, 5] {
            let together = try Layer(type, rows: rows)
            for operation in together.operations(form, rows: rows) { operation() }
            let apart = try Layer(type, rows: rows)
            for operation in apart.operations(form, rows: rows) {
                operation()
                // Prevents joining.
                try apart.backend.finish(reading: [], rows: 0)
            }
            let found = together.bits(rows: rows)
            let wanted = apart.bits(rows: rows)
            for (name, (found, wanted)) in zip(Layer.names, zip(found, wanted)) {
                let differing = found.indices.filter { found[$0] != wanted[$0] }
                #expect(differing.isEmpty, "\(rows) rows of \(name)")
            }
            #expect(found[0].contains { $0 != 0 })
        }
    }

    @Test(
        "Joined operations are fewer commands",
        arguments: [
            // norm and rounding, gate, up, activation and rounding, down and sum, norm and rounding, up
            (Form.gated, 7, 5),
            // … down, norm and sum and norm and rounding, up
            (.postNorm, 7, 5),
            // … down, norm and sum
            (.last, 6, 4),
            // norm and rounding, up, activation and rounding, down and sum
            (.plain, 4, 3),
            // norm, router, choice, rounding, gate, up, activation and rounding, down, sums, norm and rounding, up
            (.mixture, 11, 8),
        ])
    func counts(_ form: Form, _ dispatches: Int, _ barriers: Int) throws {
        let layer = try Layer(.q4_0, rows: 1)
        let before = layer.backend.commandCounts
        for operation in layer.operations(form, rows: 1) { operation() }
        try layer.backend.finish(reading: [], rows: 0)
        let counts = layer.backend.commandCounts - before
        // A step begins and ends with a barrier.
        #expect(counts == DeviceCommandCounts(dispatches: dispatches, barriers: barriers + 2))
    }
}
