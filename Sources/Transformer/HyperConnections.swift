// Hyper-connections: several residual streams beside each other, of which layers read a mixture. Their plan, their weights, and their
// part of the forward pass.

import InferSupport
import InferTensors

/// Several residual streams (arXiv 2409.19606).
struct HyperConnectionPlan: Sendable, Equatable {
    /// Streams.
    var count: Int
    /// Width of the middle that the mixture's gates are computed through.
    var rank: Int

    /// The columns of the buffers that a step needs for streams of `width` values, in the order of ``HyperConnection/Buffers``.
    func columns(width: Int) -> [Int] { [count * width, count * width, rank, count] }
}

/// How one layer reads the streams, and how it adds to them.
struct HyperConnection: Sendable {
    let plan: HyperConnectionPlan
    /// Norm of each stream.
    let norm: Norm
    let down: Linear, up: Linear
    /// Nil for the output matrix, which adds nothing.
    let inject: Linear?

    /// Loads the tensors whose names begin with `name`.
    init(
        _ name: String, _ plan: HyperConnectionPlan, width: Int, _ norm: NormKind, injects: Bool,
        _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let all = plan.count * width
        self.norm = try loader.streamNorm(name + "_norm", width: width, count: plan.count, norm)
        down = try loader.linear(name + "_down", inputs: all, outputs: plan.rank)
        up = try loader.linear(name + "_up", inputs: plan.rank, outputs: all)
        inject = injects ? try loader.linear(name + "_inject", inputs: all, outputs: plan.count) : nil
    }

    /// See ``HyperConnectionPlan/columns(width:)``.
    struct Buffers: Sendable {
        /// The norms of all streams, and these times their gates.
        let normalised: Activations, mixed: Activations
        let low: Activations
        /// How much of the layer's output each stream gets.
        let weights: Activations

        /// Nil without buffers.
        init?(_ b: [Activations]) {
            guard b.count == 4 else { return nil }
            (normalised, mixed, low, weights) = (b[0], b[1], b[2], b[3])
        }
    }
}

extension WeightLoader {
    /// The norm of each of `count` streams of `width` values, each with its own weights.
    mutating func streamNorm(
        _ name: String, width: Int, count: Int, _ kind: NormKind
    ) throws(InferenceError) -> Norm {
        Norm(kind: kind, width: width, weight: try vector(name + ".weight", [width * count]), bias: nil)
    }
}

extension ForwardPass {
    /// With Y the norms of C streams: h = 1/C · Σ (Y ⊙ sigmoid(up(silu(down(Y) / C)))) over the streams. The weights of what the layer
    /// will add to each of them are 2 · sigmoid(inject(Y) / C).
    func mixStreams(_ connection: HyperConnection, _ streams: Activations, rows: Int, into h: Activations) {
        guard let b = workspace.hyper else { return }
        let (count, width) = (connection.plan.count, c.embeddingLength)
        let share = 1 / Float(count)
        normalise(streams, rows: rows, connection.norm, into: b.normalised)
        var products = [connection.down.into(b.low)]
        if let inject = connection.inject { products.append(inject.into(b.weights)) }
        backend.multiply(b.normalised, rows: rows, products)
        backend.scale(b.low, rows: rows, by: share)
        backend.activate(b.low, rows: rows, .silu)
        if connection.inject != nil {
            backend.scale(b.weights, rows: rows, by: share)
            backend.activate(b.weights, rows: rows, .sigmoid)
            backend.scale(b.weights, rows: rows, by: 2)
        }
        backend.multiply(b.low, rows: rows, [connection.up.into(b.mixed)])
        backend.gate(b.mixed, b.normalised, rows: rows, .sigmoid, into: b.mixed)
        backend.copyColumns(b.mixed, rows: rows, ColumnCopy(width), into: h)
        backend.scale(h, rows: rows, by: share)
        for stream in 1..<max(1, count) {
            backend.copyColumns(b.mixed, rows: rows, ColumnCopy(width, from: stream * width), into: workspace.y)
            backend.add(workspace.y, scale: share, to: h, rows: rows)
        }
    }

    /// Adds y to each stream by the stream's weight.
    func addToStreams() {
        guard let b = workspace.hyper else { return }
        repeatInStreams(workspace.y, into: b.mixed)
        backend.scaleRows(b.mixed, rows: rows, by: b.weights)
        backend.add(b.mixed, scale: c.residualScale, to: workspace.x, rows: rows)
    }

    /// Copies each row of `y` to every stream of the same row of `x`.
    func repeatInStreams(_ y: Activations, into x: Activations) {
        let width = c.embeddingLength
        backend.copyColumns(
            y, rows: rows,
            ColumnCopy(count: x.columns / width, of: width, from: 0, every: 0, to: 0, every: width), into: x)
    }
}
