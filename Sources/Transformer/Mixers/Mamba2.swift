// Mamba-2, a state-space layer: its plan, its weights, and its part of the forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// One Mamba-2 layer (arXiv 2405.21060).
package struct Mamba2Plan: Sendable, Equatable {
    /// Width of all heads together.
    package var innerLength: Int
    /// Values of a head's state for each of its values.
    package var stateLength: Int
    /// Groups of heads that share B and C.
    package var groups: Int
    package var heads: Int
    /// Tokens that the short convolution reads.
    package var taps: Int

    var headLength: Int { innerLength / heads }
    /// Channels of the convolution: x, B and C.
    var channels: Int { innerLength + 2 * groups * stateLength }

    func recurrentShape(layers: Int) -> RecurrentShape {
        RecurrentShape(
            layers: layers, window: taps - 1, channels: channels, heads: heads, keyLength: stateLength,
            valueLength: headLength, keyHeads: groups)
    }

    /// The state is a linear recurrence: B is its key, C its query, dt · x its value.
    var scan: ScanParameters {
        ScanParameters(
            heads: heads, keyHeads: groups, keyLength: stateLength, valueLength: headLength, keyHeadsAreTiled: false,
            decaysPerKey: false, usesDeltaRule: false, scale: 1)
    }

    /// The buffers that a step needs, in the order of ``Mamba2/Buffers``.
    var buffers: [BufferShape] {
        [innerLength, channels, channels, heads, heads, innerLength, innerLength, innerLength].map {
            BufferShape(columns: $0)
        }
    }

    /// Reads the keys `ssm.…`.
    init(_ keys: ArchitectureKeys) throws(InferenceError) {
        let range = 1...ArchitectureKeys.largestCount
        innerLength = try keys.count("ssm.inner_size", in: range)
        stateLength = try keys.count("ssm.state_size", in: 1...65_536)
        groups = try keys.optionalCount("ssm.group_count", in: 1...65_536) ?? 1
        heads = try keys.count("ssm.time_step_rank", in: range)
        taps = try keys.count("ssm.conv_kernel", in: 1...64)
        guard innerLength.isMultiple(of: heads), heads.isMultiple(of: groups), innerLength.isMultiple(of: groups) else {
            throw keys.malformed(
                "ssm.time_step_rank",
                "is \(heads), with an ssm.inner_size of \(innerLength) and an ssm.group_count of \(groups)")
        }
    }
}

/// The weights of a Mamba-2 layer.
struct Mamba2: Sendable {
    let plan: Mamba2Plan
    /// The rows of `ssm_in`, for z, for x, B and C, and for dt.
    let z: Linear, xBC: Linear, dt: Linear
    /// taps × channels.
    let ssm_conv1d: WeightVector
    let ssm_conv1d_bias: WeightVector?
    /// −exp(A_log)
    let ssm_a: WeightVector
    let ssm_d: WeightVector
    /// Norm of each group of heads.
    let ssm_norm: Norm?
    let ssm_out: Linear

    init(
        _ prefix: String, _ plan: Mamba2Plan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let parts = try loader.fused(
            prefix + "ssm_in", inputs: width, outputs: [plan.innerLength, plan.channels, plan.heads])
        (z, xBC) = (parts[0], parts[1])
        dt = Linear(weight: parts[2].weight, bias: try loader.vector(prefix + "ssm_dt.bias", [plan.heads]))
        ssm_conv1d = try loader.convolution(loader.taps(prefix + "ssm_conv1d", plan.taps, channels: plan.channels))
        ssm_conv1d_bias = try loader.optionalVector(prefix + "ssm_conv1d.bias", [plan.channels])
        ssm_a = try loader.vector(prefix + "ssm_a", count: plan.heads)
        ssm_d = try loader.vector(prefix + "ssm_d", count: plan.heads)
        let group = plan.innerLength / plan.groups
        ssm_norm = try loader.groupNorm(prefix + "ssm_norm", width: group, count: plan.groups, norm)
        ssm_out = try loader.linear(prefix + "ssm_out", inputs: plan.innerLength, outputs: width)
    }

    /// See ``Mamba2Plan/buffers``.
    struct Buffers {
        let z: Activations
        /// x, B and C before and after the convolution.
        let xBC: Activations, convolved: Activations
        let dt: Activations, decay: Activations
        let x: Activations, values: Activations, output: Activations

        init(_ buffers: ArraySlice<Activations>) {
            let b = Array(buffers)
            (z, xBC, convolved, dt) = (b[0], b[1], b[2], b[3])
            (decay, x, values, output) = (b[4], b[5], b[6], b[7])
        }
    }
}

extension ForwardPass {
    /// s ← s e^(dt A) + B (dt x)ᵀ; y = out(norm((sᵀ C + D x) ⊙ silu(z)))
    func mix(_ mamba: Mamba2, from h: Activations, _ layer: Int, _ b: Mamba2.Buffers, into y: Activations) {
        let plan = mamba.plan
        guard let (segments, index) = recurrentState(of: layer) else { return }
        backend.multiply(h, rows: rows, [mamba.z.into(b.z), mamba.xBC.into(b.xBC), mamba.dt.into(b.dt)])
        backend.convolve(
            b.xBC, segments, layer: index, weight: mamba.ssm_conv1d, bias: mamba.ssm_conv1d_bias, activates: true,
            into: b.convolved)
        backend.activate(b.dt, rows: rows, .softplus)
        backend.copyColumns(b.dt, rows: rows, ColumnCopy(plan.heads), into: b.decay)
        backend.decay(b.decay, rows: rows, rates: mamba.ssm_a)
        backend.copyColumns(b.convolved, rows: rows, ColumnCopy(plan.innerLength), into: b.x)
        backend.copyColumns(b.convolved, rows: rows, ColumnCopy(plan.innerLength), into: b.values)
        backend.scaleRows(b.values, rows: rows, by: b.dt)
        backend.scan(
            ScanInputs(
                queries: .init(b.convolved, from: plan.innerLength + plan.groups * plan.stateLength),
                keys: .init(b.convolved, from: plan.innerLength), values: .init(b.values), decays: .init(b.decay),
                betas: nil),
            segments, layer: index, plan.scan, into: b.output)
        backend.add(b.x, scales: mamba.ssm_d, to: b.output, rows: rows)
        backend.gate(b.z, b.output, rows: rows, .silu, into: b.output)
        if let norm = mamba.ssm_norm { normalise(b.output, rows: rows, norm, into: b.output) }
        backend.multiply(b.output, rows: rows, [mamba.ssm_out.into(y)])
    }
}
