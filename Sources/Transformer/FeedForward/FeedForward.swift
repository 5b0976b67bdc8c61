// Dense feed-forward layers: their weights, and their part of the forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// down(activation(gate(x)) ⊙ up(x)), or down(activation(up(x))) without a gate.
struct FeedForward: Sendable {
    let ffn_gate: Linear?
    let ffn_up: Linear
    let ffn_down: Linear

    /// Loads the matrices `ffn_gate`, `ffn_up`, `ffn_down`, with `suffix` behind each name.
    init(
        _ prefix: String, suffix: String = "", width: Int, inner: Int, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        let up = prefix + "ffn_up" + suffix
        if loader.has(prefix + "ffn_gate" + suffix + ".weight") {
            ffn_gate = try loader.linear(prefix + "ffn_gate" + suffix, inputs: width, outputs: inner)
            ffn_up = try loader.linear(up, inputs: width, outputs: inner)
        } else if loader.file.tensor(up + ".weight")?.rows == 2 * inner {
            // Phi 3, GLM 4: gate and up in one matrix, gate first.
            let parts = try loader.fused(up, inputs: width, outputs: [inner, inner])
            (ffn_gate, ffn_up) = (parts[0], parts[1])
        } else {
            ffn_gate = nil
            ffn_up = try loader.linear(up, inputs: width, outputs: inner)
        }
        ffn_down = try loader.linear(prefix + "ffn_down" + suffix, inputs: inner, outputs: width)
    }

    /// The buffers that a step needs: gate and up.
    static func buffers(inner: Int) -> [BufferShape] {
        Array(repeating: BufferShape(columns: max(1, inner)), count: 2)
    }
}

extension ForwardPass {
    /// y = down(activation(gate(h)) ⊙ up(h))
    func feedForward(
        _ dense: FeedForward, from h: Activations, gate: Activations, up: Activations, into y: Activations
    ) {
        if let ffn_gate = dense.ffn_gate {
            backend.multiply(h, rows: rows, [ffn_gate.into(gate), dense.ffn_up.into(up)])
            backend.gate(gate, up, rows: rows, c.activation, into: gate)
        } else {
            backend.multiply(h, rows: rows, [dense.ffn_up.into(gate)])
            backend.activate(gate, rows: rows, c.activation)
        }
        backend.multiply(gate, rows: rows, [dense.ffn_down.into(y)])
    }
}
