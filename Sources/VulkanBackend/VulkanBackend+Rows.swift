// Operations of the Vulkan backend that work on each row by itself: embedding, norms, rotation, activations.

import CVulkanKernels
import GGUF
import Synchronization
package import Tensors

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
        let (source, target) = (activations(x), activations(y))
        let inputs = scratch.withLock { $0.inputs }
        perform { () throws(InferenceError) in
            // Where a product followed this norm before, one will again, and wants what that wanted.
            let operation = queue.operationNumber
            let rounding =
                source.columns == weight.count
                ? inputRounding.withLock {
                    $0.normalize(
                        target.address, rows: rows, by: address(weight), into: inputs.address, operation: operation)
                } : nil
            try queue.dispatch(
                Shader(
                    SI_SHADER_normalize,
                    [rounding == true ? 1 : 0, isCentred ? 1 : 0, bias == nil ? 0 : 1, rounding == nil ? 0 : 1]),
                PushConstants(
                    [source.address, target.address, address(weight), bias.map(address) ?? 0, inputs.address],
                    [weight.count, source.stride, target.stride], [epsilon]),
                groups: (source.columns / weight.count, rows, 1), reads: [source.address],
                writes: rounding == nil ? [target.address] : [target.address, inputs.address])
        }
    }

    package func rotate(
        _ x: Activations, rows: Int, headDimension: Int, rotation: Activations, pairing: RotaryPairing
    ) {
        let (target, angles) = (activations(x), activations(rotation))
        let pairs = angles.columns / 2, heads = target.columns / headDimension
        perform { () throws(InferenceError) in
            try queue.dispatch(
                Shader(SI_SHADER_rotate, [pairing == .halves ? 1 : 0]),
                PushConstants(
                    [target.address, angles.address], [pairs, heads, headDimension, target.stride, angles.stride]),
                groups: ((pairs * heads + 63) / 64, rows, 1), reads: [angles.address], writes: [target.address])
        }
    }

    package func gate(_ gate: Activations, _ up: Activations, rows: Int, _ activation: Activation, into y: Activations)
    {
        elementwise(.activation(activation, isGated: true), rows: rows, gate, up, into: y)
    }

    package func activate(_ x: Activations, rows: Int, _ activation: Activation) {
        elementwise(.activation(activation, isGated: false), rows: rows, x, nil, into: x)
    }

    package func add(_ y: Activations, scale: Float, to x: Activations, rows: Int) {
        elementwise(.addScaled, rows: rows, y, nil, scalar: scale, into: x)
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

    /// What `elementwise.comp` can do.
    enum ElementwiseOperation {
        case activation(Activation, isGated: Bool)
        case addScaled, scale, scaleRows, softCap

        var shader: Shader {
            let number: UInt32, isGated: Bool
            switch self {
            case .activation(.silu, let gated): (number, isGated) = (0, gated)
            case .activation(.gelu, let gated): (number, isGated) = (1, gated)
            case .activation(.clampedSwiGLU, let gated): (number, isGated) = (2, gated)
            case .addScaled: (number, isGated) = (3, false)
            case .scale: (number, isGated) = (4, false)
            case .scaleRows: (number, isGated) = (5, false)
            case .softCap: (number, isGated) = (6, false)
            }
            return Shader(SI_SHADER_elementwise, [number, isGated ? 1 : 0])
        }
    }

    private func elementwise(
        _ operation: ElementwiseOperation, rows: Int, _ a: Activations, _ b: Activations?, scalar: Float = 1,
        into y: Activations
    ) {
        let (first, second, target) = (activations(a), b.map(activations), activations(y))
        perform { () throws(InferenceError) in
            try queue.dispatch(
                operation.shader,
                PushConstants(
                    [first.address, second?.address ?? 0, target.address],
                    [first.columns, first.stride, second?.stride ?? 0, target.stride, 1], [scalar]),
                groups: ((first.columns + 127) / 128, rows, 1),
                reads: second.map { [first.address, $0.address] } ?? [first.address], writes: [target.address])
        }
    }
}
