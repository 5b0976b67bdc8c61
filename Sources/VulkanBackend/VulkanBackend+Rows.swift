// Operations of the Vulkan backend that work on each row by itself: embedding, norms, rotation, activations.

import CInferVulkanKernels
import InferGGUF
import InferSupport
package import InferTensors
import Synchronization

extension VulkanBackend {
    package func embed(_ tokens: [Int32], _ table: EmbeddingTable, scale: Float, into x: Activations) {
        let source = unsafeDowncast(table, to: VulkanEmbeddingTable.self).planes
        let target = activations(x)
        let constants =
            source.layout.map { $0.constants + [0] }
            ?? [UInt32](repeating: 0, count: 8) + [UInt32(source.element) + 1]
        perform { () throws(InferenceError) in
            let list = try queue.upload(tokens)
            try queue.dispatch(
                Shader(SI_SHADER_embed, constants),
                PushConstants(
                    [source.low, source.high, source.scales, source.factors, list, target.address],
                    [source.pieces, target.columns, target.stride], [scale]),
                groups: ((source.pieces + 63) / 64, tokens.count, 1), reads: [], writes: [target.address])
        }
    }

    package func rmsNorm(_ x: Activations, rows: Int, weight: WeightVector, epsilon: Float, into y: Activations) {
        normalize(x, rows: rows, weight: weight, bias: nil, epsilon: epsilon, isCentred: false, into: y)
    }

    package func layerNorm(
        _ x: Activations, rows: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float, into y: Activations
    ) {
        normalize(x, rows: rows, weight: weight, bias: bias, epsilon: epsilon, isCentred: true, into: y)
    }

    private func normalize(
        _ x: Activations, rows: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float, isCentred: Bool,
        into y: Activations
    ) {
        let norm = NormOperation.Norm(
            x: DeviceRows(activations(x)), y: DeviceRows(activations(y)), weight: address(weight),
            bias: bias.map(address), width: weight.count, epsilon: epsilon, isCentred: isCentred)
        perform(.norm(NormOperation(norm, rows: rows)))
    }

    package func rotate(
        _ x: Activations, rows: Int, headDimension: Int, rotation: Activations, pairing: RotaryPairing
    ) {
        let rotations = Rotations(
            DeviceRows(activations(x)), rows: rows, headDimension: headDimension,
            angles: DeviceRows(activations(rotation)), pairing: pairing)
        perform(.rotations(rotations))
    }

    package func gate(_ gate: Activations, _ up: Activations, rows: Int, _ activation: Activation, into y: Activations)
    {
        activate(gate, up, rows: rows, activation, into: y)
    }

    package func activate(_ x: Activations, rows: Int, _ activation: Activation) {
        activate(x, nil, rows: rows, activation, into: x)
    }

    private func activate(
        _ gate: Activations, _ up: Activations?, rows: Int, _ activation: Activation, into y: Activations
    ) {
        perform(
            .activation(
                ActivationOperation(
                    gate: DeviceRows(activations(gate)), up: up.map { DeviceRows(activations($0)) },
                    y: DeviceRows(activations(y)), rows: rows, activation: activation)))
    }

    package func add(_ y: Activations, scale: Float, to x: Activations, rows: Int) {
        perform(
            .addition(
                Addition(y: DeviceRows(activations(y)), x: DeviceRows(activations(x)), rows: rows, scale: scale)))
    }

    package func scale(_ x: Activations, rows: Int, by scale: Float) {
        elementwise(.scale, rows: rows, x, nil, scalar: scale, into: x)
    }

    package func scaleRows(_ x: Activations, rows: Int, by factors: Activations) {
        elementwise(.scaleRows, rows: rows, x, factors, into: x)
    }

    package func softCap(_ x: Activations, rows: Int, cap: Float) {
        elementwise(.softCap, rows: rows, x, nil, scalar: cap, into: x)
    }

    private func elementwise(
        _ operation: ElementwiseOperation, rows: Int, _ a: Activations, _ b: Activations?, scalar: Float = 1,
        into y: Activations
    ) {
        let (first, second, target) = (activations(a), b.map(activations), activations(y))
        perform { () throws(InferenceError) in
            try queue.dispatch(
                Shader(SI_SHADER_elementwise, [operation.rawValue, 0, 0]),
                PushConstants(
                    [first.address, second?.address ?? 0, target.address, 0],
                    [first.columns, first.stride, second?.stride ?? 0, target.stride, 0, 1], [scalar]),
                groups: ((first.columns + 127) / 128, rows, 1),
                reads: second.map { [first.address, $0.address] } ?? [first.address], writes: [target.address])
        }
    }
}
