// The gated delta rule: linear attention whose state is corrected, not only added to. Its plan, its weights, and its part of the
// forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// One layer of a gated delta net (arXiv 2412.06464), or of Kimi delta attention, whose keys decay one by one (arXiv 2510.26692).
package struct DeltaNetPlan: Sendable, Equatable {
    /// What the result is multiplied by.
    package enum Gate: Sendable { case silu, sigmoid }

    /// Heads of queries and keys, and of values; the former divide the latter.
    package var keyHeads: Int, valueHeads: Int
    /// Length of a head's key, and of its value.
    package var keyLength: Int, valueLength: Int
    /// Tokens that the short convolution reads.
    package var taps: Int
    /// Whether value head h reads key head h mod keyHeads rather than h / (valueHeads / keyHeads).
    package var keyHeadsAreTiled: Bool
    /// Whether keys decay one by one: Kimi delta attention.
    package var decaysPerKey: Bool
    package var gate: Gate
    /// Whether one matrix by key head, `ssm_in`, gives queries, keys, values and gates.
    package var isPacked = false

    var keyWidth: Int { keyHeads * keyLength }
    var valueWidth: Int { valueHeads * valueLength }
    /// Channels of the convolution: queries, keys and values.
    var channels: Int { 2 * keyWidth + valueWidth }
    var decayWidth: Int { valueHeads * (decaysPerKey ? keyLength : 1) }

    func recurrentShape(layers: Int) -> RecurrentShape {
        RecurrentShape(
            layers: layers, window: taps - 1, channels: channels, heads: valueHeads, keyLength: keyLength,
            valueLength: valueLength, keyHeads: keyHeads, decaysPerKey: decaysPerKey)
    }

    var scan: ScanParameters {
        ScanParameters(
            heads: valueHeads, keyHeads: keyHeads, keyLength: keyLength, valueLength: valueLength,
            keyHeadsAreTiled: keyHeadsAreTiled, decaysPerKey: decaysPerKey, usesDeltaRule: true,
            scale: 1 / Float(keyLength).squareRoot())
    }

    /// The buffers that a step needs, in the order of ``DeltaNet/Buffers``.
    var buffers: [BufferShape] {
        [
            channels, channels, 2 * keyWidth, valueWidth, valueHeads, decayWidth, valueWidth,
            decaysPerKey ? keyLength : 2 * valueHeads, isPacked ? channels + valueWidth : 1,
        ].map { BufferShape(columns: $0) }
    }
}

/// The weights of a gated delta net.
struct DeltaNet: Sendable {
    /// How the file stores the matrices for queries, keys and values, and for the gate z.
    enum Projections: Sendable {
        /// One matrix for q, k and v, another for z.
        case fused(attn_qkv: Linear, attn_gate: Linear)
        /// Old files: one matrix, by key head.
        case perKeyHead(ssm_in: Linear)
        /// Kimi: one matrix each, and z through a narrow middle.
        case separate(attn_q: Linear, attn_k: Linear, attn_v: Linear, ssm_g_a: Linear, ssm_g_b: Linear)
    }
    /// How it stores those for β and for the decay.
    enum Rates: Sendable {
        case separate(ssm_beta: Linear, ssm_alpha: Linear)
        /// By key head: β of its value heads, then their α.
        case perKeyHead(ssm_ba: Linear)
        /// Kimi: the decay through a narrow middle.
        case narrow(ssm_beta: Linear, ssm_f_a: Linear, ssm_f_b: Linear)
    }

    let plan: DeltaNetPlan
    let projections: Projections
    let rates: Rates
    /// taps × channels.
    let ssm_conv1d: WeightVector
    /// −exp(A_log)
    let ssm_a: WeightVector
    /// Makes queries and keys unit vectors.
    let unitNorm: Norm
    let ssm_norm: Norm
    let ssm_out: Linear

    init(
        _ prefix: String, _ plan: DeltaNetPlan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let (keys, values, heads) = (plan.keyWidth, plan.valueWidth, plan.valueHeads)
        if plan.decaysPerKey {
            let qkv =
                if loader.has(prefix + "attn_qkv.weight") {
                    try loader.fused(prefix + "attn_qkv", inputs: width, outputs: [keys, keys, values])
                } else {
                    [
                        try loader.linear(prefix + "attn_q", inputs: width, outputs: keys),
                        try loader.linear(prefix + "attn_k", inputs: width, outputs: keys),
                        try loader.linear(prefix + "attn_v", inputs: width, outputs: values),
                    ]
                }
            projections = .separate(
                attn_q: qkv[0], attn_k: qkv[1], attn_v: qkv[2],
                ssm_g_a: try loader.linear(prefix + "ssm_g_a", inputs: width, outputs: plan.keyLength),
                ssm_g_b: try loader.linear(prefix + "ssm_g_b", inputs: plan.keyLength, outputs: values))
            rates = .narrow(
                ssm_beta: try loader.linear(prefix + "ssm_beta", inputs: width, outputs: heads),
                ssm_f_a: try loader.linear(prefix + "ssm_f_a", inputs: width, outputs: plan.keyLength),
                ssm_f_b: try loader.linear(
                    prefix + "ssm_f_b", inputs: plan.keyLength, outputs: plan.decayWidth, bias: prefix + "ssm_dt.bias"))
            var channels: [[Float]] = []
            for (name, count) in [("q", keys), ("k", keys), ("v", values)] {
                channels += try loader.taps(prefix + "ssm_conv1d_" + name, plan.taps, channels: count)
            }
            ssm_conv1d = try loader.convolution(channels)
            ssm_out = try loader.linear(prefix + "attn_output", inputs: values, outputs: width)
        } else {
            if plan.isPacked {
                projections = .perKeyHead(
                    ssm_in: try loader.linear(prefix + "ssm_in", inputs: width, outputs: 2 * keys + 2 * values))
            } else {
                projections = .fused(
                    attn_qkv: try loader.linear(prefix + "attn_qkv", inputs: width, outputs: plan.channels),
                    attn_gate: try loader.linear(prefix + "attn_gate", inputs: width, outputs: values))
            }
            if loader.has(prefix + "ssm_ba.weight") {
                let shifts = try loader.values(prefix + "ssm_dt.bias", [heads])
                let share = heads / plan.keyHeads
                var bias: [Float] = []
                for first in stride(from: 0, to: heads, by: share) {
                    bias += Array(repeating: 0, count: share) + shifts[first..<first + share]
                }
                rates = .perKeyHead(
                    ssm_ba: try loader.linear(
                        prefix + "ssm_ba", inputs: width, outputs: 2 * heads, bias: loader.backend.makeVector(bias)))
            } else {
                rates = .separate(
                    ssm_beta: try loader.linear(prefix + "ssm_beta", inputs: width, outputs: heads),
                    ssm_alpha: try loader.linear(
                        prefix + "ssm_alpha", inputs: width, outputs: heads, bias: prefix + "ssm_dt.bias"))
            }
            ssm_conv1d = try loader.convolution(
                loader.taps(prefix + "ssm_conv1d", plan.taps, channels: plan.channels))
            ssm_out = try loader.linear(prefix + "ssm_out", inputs: values, outputs: width)
        }
        ssm_a = try loader.vector(prefix + "ssm_a", count: heads)
        // x / √(Σx² + ε) is the RMS norm with ε / n, times 1 / √n.
        let length = plan.keyLength
        let unit = try loader.backend.makeVector(Array(repeating: 1 / Float(length).squareRoot(), count: length))
        unitNorm = Norm(kind: .rms(epsilon: norm.epsilon / Float(length)), width: length, weight: unit, bias: nil)
        ssm_norm = try loader.norm(prefix + "ssm_norm", width: plan.valueLength, norm)
    }

    /// See ``DeltaNetPlan/buffers``.
    struct Buffers {
        /// Queries, keys and values before and after the convolution.
        let qkv: Activations, convolved: Activations
        /// Queries and keys as unit vectors.
        let unit: Activations
        let z: Activations, beta: Activations, decay: Activations, output: Activations
        /// Room for the narrow middles and for β and α by key head; for all projections by key head.
        let narrow: Activations, wide: Activations

        init(_ buffers: ArraySlice<Activations>) {
            let b = Array(buffers)
            (qkv, convolved, unit, z, beta) = (b[0], b[1], b[2], b[3], b[4])
            (decay, output, narrow, wide) = (b[5], b[6], b[7], b[8])
        }
    }
}

extension ForwardPass {
    /// M ← M e^g + k (β (v − (M e^g)ᵀ k))ᵀ; y = out(norm(Mᵀ q / √n) ⊙ gate(z))
    func mix(_ net: DeltaNet, from h: Activations, _ layer: Int, _ b: DeltaNet.Buffers, into y: Activations) {
        let plan = net.plan
        project(net, from: h, b)
        guard let (segments, index) = recurrentState(of: layer) else { return }
        backend.convolve(
            b.qkv, segments, layer: index, weight: net.ssm_conv1d, bias: nil, activates: true, into: b.convolved)
        backend.copyColumns(b.convolved, rows: rows, ColumnCopy(2 * plan.keyWidth), into: b.unit)
        normalise(b.unit, rows: rows, net.unitNorm, into: b.unit)
        backend.activate(b.beta, rows: rows, .sigmoid)
        backend.activate(b.decay, rows: rows, .softplus)
        backend.decay(b.decay, rows: rows, rates: net.ssm_a)
        backend.scan(
            ScanInputs(
                queries: .init(b.unit), keys: .init(b.unit, from: plan.keyWidth),
                values: .init(b.convolved, from: 2 * plan.keyWidth), decays: .init(b.decay), betas: .init(b.beta)),
            segments, layer: index, plan.scan, into: b.output)
        normalise(b.output, rows: rows, net.ssm_norm, into: b.output)
        backend.gate(b.z, b.output, rows: rows, plan.gate == .silu ? .silu : .sigmoid, into: b.output)
        backend.multiply(b.output, rows: rows, [net.ssm_out.into(y)])
    }

    /// The inputs of convolution and scan, before their functions: q, k, v, z, β and the decay's rate.
    private func project(_ net: DeltaNet, from h: Activations, _ b: DeltaNet.Buffers) {
        let plan = net.plan
        let (keys, values, length) = (plan.keyWidth, plan.valueWidth, plan.keyLength)
        let share = plan.valueHeads / plan.keyHeads
        switch net.projections {
        case .fused(let attn_qkv, let attn_gate):
            backend.multiply(h, rows: rows, [attn_qkv.into(b.qkv), attn_gate.into(b.z)])
        case .perKeyHead(let ssm_in):
            backend.multiply(h, rows: rows, [ssm_in.into(b.wide)])
            let valuesEach = share * plan.valueLength
            let every = 2 * length + 2 * valuesEach
            for (source, count, target, place) in [
                (0, length, b.qkv, 0), (length, length, b.qkv, keys), (2 * length, valuesEach, b.qkv, 2 * keys),
                (2 * length + valuesEach, valuesEach, b.z, 0),
            ] {
                backend.copyColumns(
                    b.wide, rows: rows,
                    ColumnCopy(
                        count: plan.keyHeads, of: count, from: source, every: every, to: place, every: count),
                    into: target)
            }
        case .separate(let attn_q, let attn_k, let attn_v, let ssm_g_a, let ssm_g_b):
            for (matrix, place, width) in [(attn_q, 0, keys), (attn_k, keys, keys), (attn_v, 2 * keys, values)] {
                // The gate's buffer is free until the gate is computed.
                backend.multiply(h, rows: rows, [matrix.into(b.z)])
                backend.copyColumns(b.z, rows: rows, ColumnCopy(width, from: 0, to: place), into: b.qkv)
            }
            backend.multiply(h, rows: rows, [ssm_g_a.into(b.narrow)])
            backend.multiply(b.narrow, rows: rows, [ssm_g_b.into(b.z)])
        }
        switch net.rates {
        case .separate(let ssm_beta, let ssm_alpha):
            backend.multiply(h, rows: rows, [ssm_beta.into(b.beta), ssm_alpha.into(b.decay)])
        case .perKeyHead(let ssm_ba):
            backend.multiply(h, rows: rows, [ssm_ba.into(b.narrow)])
            for (source, target) in [(0, b.beta), (share, b.decay)] {
                backend.copyColumns(
                    b.narrow, rows: rows,
                    ColumnCopy(
                        count: plan.keyHeads, of: share, from: source, every: 2 * share, to: 0, every: share),
                    into: target)
            }
        case .narrow(let ssm_beta, let ssm_f_a, let ssm_f_b):
            backend.multiply(h, rows: rows, [ssm_beta.into(b.beta), ssm_f_a.into(b.narrow)])
            backend.multiply(b.narrow, rows: rows, [ssm_f_b.into(b.decay)])
        }
    }
}
