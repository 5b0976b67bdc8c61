// Mixtures of experts: their plan, their weights, and their part of the forward pass.

import InferGGUF
import InferSupport
package import InferTensors

/// One mixture of experts.
package struct ExpertsPlan: Sendable {
    /// Experts of the layer.
    package var count: Int
    /// Experts that a token uses.
    package var usedCount: Int
    /// Inner width of an expert.
    package var innerLength: Int
    /// How the router's outputs become weights.
    package var routing: RoutingParameters
    /// Inner width of the expert that all tokens use; nil for none.
    package var sharedLength: Int?
    /// Width of the experts' inputs and outputs, where it is not the stream's (Nemotron 3).
    package var latentLength: Int?
    /// Whether the router reads the residual stream, normalised without weights and scaled by `ffn_gate_inp.scale` (Gemma 4).
    package var routesResidual = false

    /// The buffers that a step needs, in the order of ``MixtureOfExperts/Buffers``; `width` is the stream's.
    func buffers(width: Int) -> [BufferShape] {
        let outer = latentLength ?? width
        return [
            BufferShape(columns: count), BufferShape(columns: innerLength, copies: usedCount),
            BufferShape(columns: innerLength, copies: usedCount), BufferShape(columns: outer, copies: usedCount),
            BufferShape(columns: max(1, sharedLength ?? 1)), BufferShape(columns: max(1, sharedLength ?? 1)),
            BufferShape(columns: sharedLength == nil ? 1 : width), BufferShape(columns: 1),
            BufferShape(columns: latentLength ?? 1), BufferShape(columns: latentLength ?? 1),
            BufferShape(columns: routesResidual ? width : 1),
        ]
    }
}

/// A weighted sum of the feed-forward layers that a router chooses for each token (arXiv 2101.03961, 2401.04088), and of one that
/// all tokens use (arXiv 2401.06066).
struct MixtureOfExperts: Sendable {
    let plan: ExpertsPlan
    let routing: RoutingParameters
    let ffn_gate_inp: Linear
    /// See ``ExpertsPlan/routesResidual``.
    let routerNorm: Norm?
    /// Nil for experts without a gate.
    let ffn_gate_exps: Linear?
    let ffn_up_exps: Linear
    let ffn_down_exps: Linear
    let shared: FeedForward?
    /// One output: how much of the shared expert is added.
    let ffn_gate_inp_shexp: Linear?
    let ffn_latent_down: Linear?
    let ffn_latent_up: Linear?

    init(
        _ prefix: String, _ plan: ExpertsPlan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let (inner, experts, outer) = (plan.innerLength, plan.count, plan.latentLength ?? width)
        ffn_gate_inp = try loader.linear(prefix + "ffn_gate_inp", inputs: width, outputs: experts)
        if loader.has(prefix + "ffn_gate_up_exps.weight") {
            let parts = try loader.fused(
                prefix + "ffn_gate_up_exps", inputs: outer, outputs: [inner, inner], experts: experts)
            (ffn_gate_exps, ffn_up_exps) = (parts[0], parts[1])
        } else {
            ffn_gate_exps =
                loader.has(prefix + "ffn_gate_exps.weight")
                ? try loader.linear(prefix + "ffn_gate_exps", inputs: outer, outputs: inner, experts: experts) : nil
            ffn_up_exps = try loader.linear(prefix + "ffn_up_exps", inputs: outer, outputs: inner, experts: experts)
        }
        ffn_down_exps = try loader.linear(prefix + "ffn_down_exps", inputs: inner, outputs: outer, experts: experts)
        var routing = plan.routing
        routing.selectionBias = try loader.optionalVector(prefix + "exp_probs_b.bias", [experts])
        routing.expertScales = try loader.optionalVector(prefix + "ffn_down_exps.scale", [experts])
        self.routing = routing
        if plan.routesResidual {
            let scales = try loader.values(prefix + "ffn_gate_inp.scale", [width])
            let factor = 1 / Float(width).squareRoot()
            routerNorm = Norm(
                kind: norm, width: width, weight: try loader.backend.makeVector(scales.map { $0 * factor }), bias: nil)
        } else {
            routerNorm = nil
        }
        if let sharedLength = plan.sharedLength {
            shared = try FeedForward(prefix, suffix: "_shexp", width: width, inner: sharedLength, &loader)
            ffn_gate_inp_shexp =
                loader.has(prefix + "ffn_gate_inp_shexp.weight")
                ? try loader.linear(prefix + "ffn_gate_inp_shexp", inputs: width, outputs: 1) : nil
        } else {
            (shared, ffn_gate_inp_shexp) = (nil, nil)
        }
        if let latent = plan.latentLength {
            ffn_latent_down = try loader.linear(prefix + "ffn_latent_down", inputs: width, outputs: latent)
            ffn_latent_up = try loader.linear(prefix + "ffn_latent_up", inputs: latent, outputs: width)
        } else {
            (ffn_latent_down, ffn_latent_up) = (nil, nil)
        }
    }

    /// See ``ExpertsPlan/buffers(width:)``.
    struct Buffers {
        /// One row per token.
        let logits: Activations
        /// One row per token and expert used.
        let gate: Activations, up: Activations, down: Activations
        let sharedGate: Activations, sharedUp: Activations, sharedOutput: Activations
        /// One value per token.
        let share: Activations
        let latentInput: Activations, latentOutput: Activations
        let routerInput: Activations

        init(_ buffers: ArraySlice<Activations>) {
            let b = Array(buffers)
            (logits, gate, up, down) = (b[0], b[1], b[2], b[3])
            (sharedGate, sharedUp, sharedOutput, share) = (b[4], b[5], b[6], b[7])
            (latentInput, latentOutput, routerInput) = (b[8], b[9], b[10])
        }
    }
}

extension ForwardPass {
    /// y = Σ weight(expert) · down(activation(gate(h)) ⊙ up(h)) over the chosen experts, and the shared expert's output
    func mixture(
        _ mixture: MixtureOfExperts, from h: Activations, _ b: MixtureOfExperts.Buffers, into y: Activations
    ) {
        let used = mixture.plan.usedCount
        guard let routing = workspace.routings[used] else { return }
        if let norm = mixture.routerNorm {
            normalise(workspace.x, rows: rows, norm, into: b.routerInput)
            backend.multiply(b.routerInput, rows: rows, [mixture.ffn_gate_inp.into(b.logits)])
        } else {
            backend.multiply(h, rows: rows, [mixture.ffn_gate_inp.into(b.logits)])
        }
        backend.route(b.logits, rows: rows, mixture.routing, into: routing)
        var inputs = h
        if let ffn_latent_down = mixture.ffn_latent_down {
            backend.multiply(h, rows: rows, [ffn_latent_down.into(b.latentInput)])
            inputs = b.latentInput
        }
        if let ffn_gate_exps = mixture.ffn_gate_exps {
            backend.multiplyExperts(
                inputs, rows: rows, [ffn_gate_exps.into(b.gate), mixture.ffn_up_exps.into(b.up)], routing)
            backend.gate(b.gate, b.up, rows: rows * used, c.activation, into: b.gate)
        } else {
            backend.multiplyExperts(inputs, rows: rows, [mixture.ffn_up_exps.into(b.gate)], routing)
            backend.activate(b.gate, rows: rows * used, c.activation)
        }
        backend.multiplyExperts(b.gate, rows: rows, [mixture.ffn_down_exps.into(b.down)], routing)
        if let ffn_latent_up = mixture.ffn_latent_up {
            backend.combineExperts(b.down, rows: rows, routing, into: b.latentOutput)
            backend.multiply(b.latentOutput, rows: rows, [ffn_latent_up.into(y)])
        } else {
            backend.combineExperts(b.down, rows: rows, routing, into: y)
        }
        guard let shared = mixture.shared else { return }
        feedForward(shared, from: h, gate: b.sharedGate, up: b.sharedUp, into: b.sharedOutput)
        if let ffn_gate_inp_shexp = mixture.ffn_gate_inp_shexp {
            backend.multiply(h, rows: rows, [ffn_gate_inp_shexp.into(b.share)])
            backend.activate(b.share, rows: rows, .sigmoid)
            backend.scaleRows(b.sharedOutput, rows: rows, by: b.share)
        }
        backend.add(b.sharedOutput, scale: 1, to: y, rows: rows)
    }
}
