// Multi-head latent attention: its plan, its weights, and its part of the forward pass.

import InferGGUF
import InferSupport
import InferTensors

/// One layer of multi-head latent attention (DeepSeek-V2, arXiv 2405.04434).
///
/// A token is cached as one latent vector c and one rotated key part, which all heads share. Keys and values are not expanded: each
/// head's key matrix is applied to its query, and its value matrix to the weighted sum of latents.
package struct LatentAttentionPlan: Sendable, Equatable {
    /// Query heads.
    package var heads: Int
    /// Rank of the queries' compression; nil for none.
    package var queryRank: Int?
    /// Length of the latent vector.
    package var latentLength: Int
    /// Values of a head's query and key without position, and with it.
    package var plainLength: Int, rotatedLength: Int
    /// Length of one head's value.
    package var valueLength: Int
    /// Scores are multiplied by this before the softmax.
    package var scale: Float
    /// Whether the model rotates at all.
    package var rotates: Bool

    var queryLength: Int { plainLength + rotatedLength }
    /// Length of what is cached as a key: the latent vector and the rotated part.
    var keyLength: Int { latentLength + rotatedLength }

    /// The cache: one head for all queries.
    func cacheShape(layers: Int, slots: Int, type: KVCacheType) -> KVCacheShape {
        KVCacheShape(
            layers: layers, heads: 1, keyDimension: keyLength, valueDimension: latentLength, slots: slots, type: type)
    }

    /// The buffers that a step needs, in the order of ``LatentAttention/Buffers``.
    var buffers: [BufferShape] {
        [
            queryRank ?? 1, heads * queryLength, heads * plainLength, heads * latentLength, heads * keyLength,
            keyLength, keyLength, latentLength, heads * latentLength, heads * valueLength,
        ].map { BufferShape(columns: $0) }
    }
}

/// The weights of a layer of multi-head latent attention.
struct LatentAttention: Sendable {
    let plan: LatentAttentionPlan
    let attn_q_a: Linear?
    let attn_q_a_norm: Norm?
    /// `attn_q_b`, or `attn_q` without compression of queries.
    let attn_q: Linear
    let attn_kv_a_mqa: Linear
    let attn_kv_a_norm: Norm
    /// One matrix per head: latentLength × plainLength, and valueLength × latentLength.
    let attn_k_b: Linear
    let attn_v_b: Linear
    let attn_output: Linear
    let parameters: AttentionParameters

    init(
        _ prefix: String, _ plan: LatentAttentionPlan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        let queryWidth = plan.heads * plan.queryLength
        if let rank = plan.queryRank {
            attn_q_a = try loader.linear(prefix + "attn_q_a", inputs: width, outputs: rank)
            attn_q_a_norm = try loader.norm(prefix + "attn_q_a_norm", width: rank, norm)
            attn_q = try loader.linear(prefix + "attn_q_b", inputs: rank, outputs: queryWidth)
        } else {
            (attn_q_a, attn_q_a_norm) = (nil, nil)
            attn_q = try loader.linear(prefix + "attn_q", inputs: width, outputs: queryWidth)
        }
        attn_kv_a_mqa = try loader.linear(prefix + "attn_kv_a_mqa", inputs: width, outputs: plan.keyLength)
        attn_kv_a_norm = try loader.norm(prefix + "attn_kv_a_norm", width: plan.latentLength, norm)
        if loader.has(prefix + "attn_kv_b.weight") {
            (attn_k_b, attn_v_b) = try Self.split(prefix + "attn_kv_b.weight", plan, &loader)
        } else {
            attn_k_b = try loader.linear(
                prefix + "attn_k_b", inputs: plan.plainLength, outputs: plan.latentLength, experts: plan.heads)
            attn_v_b = try loader.linear(
                prefix + "attn_v_b", inputs: plan.latentLength, outputs: plan.valueLength, experts: plan.heads)
        }
        attn_output = try loader.linear(
            prefix + "attn_output", inputs: plan.heads * plan.valueLength, outputs: width)
        parameters = AttentionParameters(heads: plan.heads, keyValueHeads: 1, scale: plan.scale)
    }

    /// Older files have the matrices that expand latents to keys and values: per head, rows of the key and rows of the value. The
    /// former has to be transposed to be applied to queries.
    private static func split(
        _ name: String, _ plan: LatentAttentionPlan, _ loader: inout WeightLoader
    ) throws(InferenceError) -> (keys: Linear, values: Linear) {
        let (latent, plain, value) = (plan.latentLength, plan.plainLength, plan.valueLength)
        let both = try loader.values(name, [latent, plan.heads * (plain + value)])
        var keys: [Float] = [], values: [Float] = []
        keys.reserveCapacity(plan.heads * plain * latent)
        values.reserveCapacity(plan.heads * value * latent)
        for head in 0..<plan.heads {
            let start = head * (plain + value) * latent
            for column in 0..<latent {
                for row in 0..<plain { keys.append(both[start + row * latent + column]) }
            }
            values += both[start + plain * latent..<start + (plain + value) * latent]
        }
        return (
            Linear(
                weight: try loader.backend.makeMatrix(keys, columns: plain, rows: latent, experts: plan.heads),
                bias: nil),
            Linear(
                weight: try loader.backend.makeMatrix(values, columns: latent, rows: value, experts: plan.heads),
                bias: nil)
        )
    }

    /// See ``LatentAttentionPlan/buffers``.
    struct Buffers {
        /// The compressed query, the queries, and their parts without position.
        let compressed: Activations, q: Activations, plain: Activations
        /// Queries after the keys' matrices, and together with the rotated parts.
        let latentQueries: Activations, queries: Activations
        /// Latent vector and rotated key part as the matrix gives them, and as they are cached.
        let kv: Activations, key: Activations, latent: Activations
        let attended: Activations, values: Activations

        init(_ buffers: ArraySlice<Activations>) {
            let b = Array(buffers)
            (compressed, q, plain, latentQueries, queries) = (b[0], b[1], b[2], b[3], b[4])
            (kv, key, latent, attended, values) = (b[5], b[6], b[7], b[8], b[9])
        }
    }
}

extension ForwardPass {
    /// y = output(values · softmax(keys(q) · cᵀ + q_rotated · k_rotatedᵀ) · c)
    func attend(
        _ attention: LatentAttention, from h: Activations, _ layer: Int, _ b: LatentAttention.Buffers,
        into y: Activations
    ) {
        let plan = attention.plan
        let (heads, plain, rotated, latent) = (plan.heads, plan.plainLength, plan.rotatedLength, plan.latentLength)
        if let attn_q_a = attention.attn_q_a, let norm = attention.attn_q_a_norm {
            backend.multiply(h, rows: rows, [attn_q_a.into(b.compressed), attention.attn_kv_a_mqa.into(b.kv)])
            normalise(b.compressed, rows: rows, norm, into: b.compressed)
            backend.multiply(b.compressed, rows: rows, [attention.attn_q.into(b.q)])
        } else {
            backend.multiply(h, rows: rows, [attention.attn_q.into(b.q), attention.attn_kv_a_mqa.into(b.kv)])
        }
        backend.copyColumns(b.kv, rows: rows, ColumnCopy(latent), into: b.latent)
        normalise(b.latent, rows: rows, attention.attn_kv_a_norm, into: b.latent)
        backend.copyColumns(b.latent, rows: rows, ColumnCopy(latent), into: b.key)
        backend.copyColumns(b.kv, rows: rows, ColumnCopy(rotated, from: latent, to: latent), into: b.key)
        if plan.rotates, let rope = c.rope, let rotation = workspace.rotation {
            backend.rotate(
                b.q, rows: rows, headDimension: plan.queryLength, offset: plain, rotation: rotation,
                pairing: rope.pairing)
            backend.rotate(
                b.key, rows: rows, headDimension: plan.keyLength, offset: latent, rotation: rotation,
                pairing: rope.pairing)
        }
        if let temperature = workspace.temperature { backend.scaleRows(b.q, rows: rows, by: temperature) }
        // Queries in the space of latents: each head's own matrix.
        backend.copyColumns(
            b.q, rows: rows,
            ColumnCopy(count: heads, of: plain, from: 0, every: plan.queryLength, to: 0, every: plain), into: b.plain)
        multiplyHeads(b.plain, attention.attn_k_b, heads: heads, into: b.latentQueries)
        backend.copyColumns(
            b.latentQueries, rows: rows,
            ColumnCopy(count: heads, of: latent, from: 0, every: latent, to: 0, every: plan.keyLength),
            into: b.queries)
        backend.copyColumns(
            b.q, rows: rows,
            ColumnCopy(
                count: heads, of: rotated, from: plain, every: plan.queryLength, to: latent, every: plan.keyLength),
            into: b.queries)
        guard let (segments, index) = keyValues(of: layer) else { return }
        backend.store(keys: b.key, values: b.latent, segments, layer: index)
        backend.attend(b.queries, segments, layer: index, attention.parameters, into: b.attended)
        multiplyHeads(b.attended, attention.attn_v_b, heads: heads, into: b.values)
        backend.multiply(b.values, rows: rows, [attention.attn_output.into(y)])
    }

    /// Multiplies each head's part of the rows by the head's own matrix.
    private func multiplyHeads(_ x: Activations, _ matrices: Linear, heads: Int, into y: Activations) {
        guard let routing = workspace.headRoutings[heads] else { return }
        let perHead = backend.makeView(of: x, columns: x.columns / heads)
        let results = backend.makeView(of: y, columns: y.columns / heads)
        backend.multiplyExperts(perHead, rows: rows, [matrices.into(results)], routing)
    }
}
