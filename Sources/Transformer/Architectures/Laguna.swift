// Laguna: windowed and full attention with different numbers of heads, gates, and experts.

import InferGGUF
import InferSupport
import InferTensors

extension Architecture {
    static let laguna = Architecture("laguna", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useGating(keys, default: .sigmoid)
        if let window = try keys.optionalCount("attention.sliding_window", in: 0...(1 << 30)), window > 0 {
            try configuration.useWindow(
                of: window, keys, defaultPeriod: 4, firstIsFull: true, hasOwnBase: true, plainRotation: true)
            if let count = try keys.optionalCount("rope.dimension_count_swa", in: 2...65_536) {
                configuration.localRope?.dimensionCount = count
            }
            let shortest = configuration.layers.lazy.compactMap(\.attention).map(\.keyLength).min()
            guard let local = configuration.localRope?.dimensionCount, local.isMultiple(of: 2),
                local <= shortest ?? local
            else { throw keys.malformed("rope.dimension_count_swa", "does not fit attention.key_length") }
        }
        var fault: InferenceError?
        configuration.layers.forEachAttention { layer, plan in
            let name = "blk.\(layer).attn_gate.weight"
            guard let gate = keys.file.tensor(name) else { return }
            guard gate.rows == plan.heads || gate.rows == plan.attendedWidth else {
                fault = InferenceError(
                    .malformedModel,
                    "\(keys.file.path): tensor \(name) has \(gate.rows) rows; there are \(plan.heads) heads")
                return
            }
            plan.gate = .softplus(count: gate.rows)
        }
        if let fault { throw fault }
    }
}
