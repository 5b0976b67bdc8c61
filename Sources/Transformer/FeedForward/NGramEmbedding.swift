// Embeddings of n-grams: what a block adds for the last tokens together. Their plan, their weights, and their part of the forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// Embeddings that are looked up by hashes of the last 2 … n tokens and added to all residual streams (Qwen 4).
struct NGramPlan: Sendable {
    /// The longest n-gram.
    var size: Int
    /// Hashes of each length of n-grams.
    var headsPerSize: Int
    /// Tokens that the convolution reads, which are ``size`` apart.
    var taps: Int
    /// Channels of the convolution: those of all streams.
    var channels: Int
    /// Stands for tokens before the first one, or before the last token of this kind.
    var endToken: Int32
    /// One factor for each token of an n-gram.
    var multipliers: [UInt64]
    /// Rows of the table for each hash, and where they begin.
    var headSizes: [UInt64], headOffsets: [UInt64]
    /// Length of a row of the table.
    var embeddingLength: Int

    /// Hashes of a token.
    var heads: Int { (size - 1) * headsPerSize }

    /// The inputs of the convolution that a sequence keeps.
    var recurrentShape: RecurrentShape { RecurrentShape(layers: 1, window: (taps - 1) * size, channels: channels) }

    /// The rows of the table for the tokens `recent`, the current one first: those of two tokens, then of three and so on.
    func rows(_ recent: [Int32]) -> [Int32] {
        var hash: UInt64 = 0
        var rows: [Int32] = []
        var isBefore = false
        for (age, factor) in multipliers.prefix(size).enumerated() {
            isBefore = isBefore || age >= recent.count || (age > 0 && recent[age] == endToken)
            hash ^= UInt64(truncatingIfNeeded: isBefore ? endToken : recent[age]) &* factor
            guard age > 0 else { continue }
            for head in (age - 1) * headsPerSize..<age * headsPerSize {
                rows.append(Int32(truncatingIfNeeded: hash % headSizes[head] + headOffsets[head]))
            }
        }
        return rows
    }
}

/// The weights of a block's embeddings of n-grams.
struct NGramEmbedding: Sendable {
    let plan: NGramPlan
    /// rows × embedding length.
    let per_layer_token_embd: EmbeddingTable
    let ple_key: Linear, ple_value: Linear
    /// Norms of each stream.
    let ple_norm_key: Norm, ple_norm_query: Norm, ple_norm_conv: Norm
    /// taps × channels, with zeros between the taps.
    let ple_conv1d: WeightVector
    /// Adds up the products of each stream, divided by √width.
    let sums: Linear

    init(
        _ prefix: String, _ plan: NGramPlan, _ c: Configuration, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let width = c.embeddingLength
        let (streams, all) = (plan.channels / width, plan.channels)
        let rows = zip(plan.headOffsets, plan.headSizes).map { $0 + $1 }.max() ?? 0
        let name = "per_layer_token_embd.weight"
        guard let tensor = loader.file.tensor(name), tensor.rows >= rows else {
            throw InferenceError(
                .malformedModel,
                "\(loader.file.path): tensor \(name) has too few rows for ple.head_offsets, or is absent")
        }
        per_layer_token_embd = try loader.table(name, columns: plan.embeddingLength, rows: tensor.rows)
        ple_key = try loader.linear(prefix + "ple_key", inputs: width, outputs: all)
        ple_value = try loader.linear(prefix + "ple_value", inputs: width, outputs: width)
        ple_norm_key = try loader.streamNorm(prefix + "ple_norm_key", width: width, count: streams, c.norm)
        ple_norm_query = try loader.streamNorm(prefix + "ple_norm_query", width: width, count: streams, c.norm)
        ple_norm_conv = try loader.streamNorm(prefix + "ple_norm_conv", width: width, count: streams, c.norm)
        let taps = try loader.taps(prefix + "ple_conv1d", plan.taps, channels: all)
        ple_conv1d = try loader.convolution(
            taps.map { taps in
                taps.enumerated().flatMap { $0 == 0 ? [$1] : Array(repeating: 0, count: plan.size - 1) + [$1] }
            })
        var ones = [Float](repeating: 0, count: streams * all)
        for stream in 0..<streams {
            let start = stream * all + stream * width
            for index in start..<start + width { ones[index] = 1 / Float(width).squareRoot() }
        }
        sums = Linear(
            weight: try loader.backend.makeMatrix(ones, columns: all, rows: streams, experts: 1), bias: nil)
    }

    /// Nil without buffers.
    struct Buffers: Sendable {
        /// One row of the table, and all of a token.
        let slice: Activations, embedding: Activations
        let key: Activations, value: Activations
        /// How much of the value each stream gets.
        let share: Activations

        init?(_ b: [Activations]) {
            guard b.count == 5 else { return nil }
            (slice, embedding, key, value, share) = (b[0], b[1], b[2], b[3], b[4])
        }
    }
}

extension ForwardPass {
    /// For each stream X: X += U + silu(conv(norm(U))), where U = γ · value(e), a = norm(key(e)) · norm(X) / √width,
    /// γ = sigmoid(sign(a) √|a|), and e are the embeddings of the last tokens together.
    func addNGrams(_ ngrams: NGramEmbedding, _ layer: Int) throws(InferenceError) {
        guard let b = workspace.ngrams, let hyper = workspace.hyper, let (segments, index) = ngramState(of: layer),
            let memories = rowMemory(of: layer)
        else { return }
        let plan = ngrams.plan
        let places = rows(of: plan, memories.0, layer: memories.layer)
        for head in 0..<plan.heads {
            backend.embed(places.map { $0[head] }, ngrams.per_layer_token_embd, scale: 1, into: b.slice)
            backend.copyColumns(
                b.slice, rows: rows, ColumnCopy(plan.embeddingLength, to: head * plan.embeddingLength),
                into: b.embedding)
        }
        backend.multiply(
            b.embedding, rows: rows, [ngrams.ple_key.into(b.key), ngrams.ple_value.into(workspace.y)])
        normalise(b.key, rows: rows, ngrams.ple_norm_key, into: b.key)
        normalise(workspace.x, rows: rows, ngrams.ple_norm_query, into: hyper.normalised)
        backend.gate(b.key, hyper.normalised, rows: rows, .identity, into: b.key)
        backend.multiply(b.key, rows: rows, [ngrams.sums.into(b.share)])
        try backend.finish(reading: [b.share], rows: rows)
        let roots = backend.read(b.share, rows: rows) { products in
            products.map { product -> Float in
                let root = max(abs(product), 1e-6).squareRoot()
                return product > 0 ? root : product < 0 ? -root : 0
            }
        }
        backend.write(roots, to: b.share)
        backend.activate(b.share, rows: rows, .sigmoid)
        repeatInStreams(workspace.y, into: b.value)
        backend.scaleRows(b.value, rows: rows, by: b.share)
        normalise(b.value, rows: rows, ngrams.ple_norm_conv, into: hyper.normalised)
        backend.convolve(
            hyper.normalised, segments, layer: index, weight: ngrams.ple_conv1d, bias: nil, activates: true,
            into: b.key)
        backend.add(b.value, scale: 1, to: workspace.x, rows: rows)
        backend.add(b.key, scale: 1, to: workspace.x, rows: rows)
    }

    /// The rows of the table for each row of the step. The tokens are kept for later steps.
    private func rows(of plan: NGramPlan, _ segments: [RowSegment], layer: Int) -> [[Int32]] {
        segments.flatMap { segment in
            let (layout, memory) = (segment.layout, segment.memory)
            for row in 0..<layout.count {
                // Floats hold the numbers of all tokens exactly.
                let token = Float(tokens[segment.firstRow + row])
                memory.store(CollectionOfOne(token), layer: layer, slot: layout.committed + row)
            }
            return (0..<layout.count).map { row in
                let position = layout.position(of: row)
                return plan.rows(
                    (0..<min(plan.size, position + 1)).map { age in
                        let slot = segment.slot(of: position - age, onPathTo: row)
                        return memory.row(layer: layer, slot: slot).first.map { Int32($0) } ?? plan.endToken
                    })
            }
        }
    }
}
