// Gated short convolutions: their plan, their weights, and their part of the forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// One gated short convolution (LFM2, arXiv 2511.23404).
package struct ShortConvolutionPlan: Sendable, Equatable {
    /// Number of channels: the stream's width.
    package var channels: Int
    /// Tokens that it reads.
    package var taps: Int

    func recurrentShape(layers: Int) -> RecurrentShape {
        RecurrentShape(layers: layers, window: taps - 1, channels: channels)
    }

    /// The buffers that a step needs, in the order of ``ShortConvolution/Buffers``.
    var buffers: [BufferShape] { Array(repeating: BufferShape(columns: channels), count: 4) }
}

/// The weights of a gated short convolution.
struct ShortConvolution: Sendable {
    /// The rows of `shortconv.in_proj`.
    let b: Linear, c: Linear, x: Linear
    /// taps × channels.
    let conv: WeightVector
    let out_proj: Linear

    init(
        _ prefix: String, _ plan: ShortConvolutionPlan, width: Int, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        let parts = try loader.fused(
            prefix + "shortconv.in_proj", inputs: width, outputs: Array(repeating: plan.channels, count: 3))
        (b, c, x) = (parts[0], parts[1], parts[2])
        conv = try loader.convolution(loader.taps(prefix + "shortconv.conv", plan.taps, channels: plan.channels))
        out_proj = try loader.linear(prefix + "shortconv.out_proj", inputs: plan.channels, outputs: width)
    }

    /// See ``ShortConvolutionPlan/buffers``.
    struct Buffers {
        let b: Activations, c: Activations, x: Activations, convolved: Activations

        init(_ buffers: ArraySlice<Activations>) {
            let all = Array(buffers)
            (b, c, x, convolved) = (all[0], all[1], all[2], all[3])
        }
    }
}

extension ForwardPass {
    /// y = out(C ⊙ conv(B ⊙ X))
    func mix(
        _ layerWeights: ShortConvolution, from h: Activations, _ layer: Int, _ b: ShortConvolution.Buffers,
        into y: Activations
    ) {
        guard let (segments, index) = recurrentState(of: layer) else { return }
        backend.multiply(
            h, rows: rows, [layerWeights.b.into(b.b), layerWeights.c.into(b.c), layerWeights.x.into(b.x)])
        backend.gate(b.b, b.x, rows: rows, .identity, into: b.x)
        backend.convolve(
            b.x, segments, layer: index, weight: layerWeights.conv, bias: nil, activates: false, into: b.convolved)
        backend.gate(b.c, b.convolved, rows: rows, .identity, into: b.convolved)
        backend.multiply(b.convolved, rows: rows, [layerWeights.out_proj.into(y)])
    }
}
