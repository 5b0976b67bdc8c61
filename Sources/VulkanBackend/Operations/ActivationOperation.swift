// The non-linearity of a feed-forward layer.

import CInferVulkanKernels
import InferSupport
import InferTensors

/// y = activation(gate) ⊙ up, or y = activation(gate); and, where products follow, y rounded for them.
struct ActivationOperation {
    let gate: DeviceRows, up: DeviceRows?, y: DeviceRows
    let rows: Int
    let activation: Activation
    var rounding: InputRounding?

    func record(on queue: CommandQueue) throws(InferenceError) {
        let operation: ElementwiseOperation =
            switch activation {
            case .silu: .silu
            case .gelu: .gelu
            case .clampedSwiGLU: .clampedSwiGLU
            }
        let number = operation.rawValue
        let isGated: UInt32 = up == nil ? 0 : 1
        let reads = up.map { [gate.address, $0.address] } ?? [gate.address]
        if let rounding {
            let fours = gate.columns / 4
            try queue.dispatch(
                Shader(SI_SHADER_activate_rounded, [rounding.isSuper ? 1 : 0, isGated, number]),
                PushConstants(
                    [gate.address, up?.address ?? 0, y.address, rounding.inputs],
                    [fours, gate.stride, up?.stride ?? 0, y.stride]),
                groups: ((fours + 63) / 64, rows, 1), reads: reads, writes: [y.address, rounding.inputs])
        } else {
            try queue.dispatch(
                Shader(SI_SHADER_elementwise, [number, isGated, 0]),
                PushConstants(
                    [gate.address, up?.address ?? 0, y.address, 0],
                    [gate.columns, gate.stride, up?.stride ?? 0, y.stride, 0, 1], [1]),
                groups: ((gate.columns + 127) / 128, rows, 1), reads: reads, writes: [y.address])
        }
    }
}
