// Embeddings per layer: small vectors that each block adds for the token itself (Gemma 3n and 4).

import InferGGUF
import InferSupport
import InferTensors

/// The part of per-layer embeddings that is computed once per token: one slice for each block.
struct PerLayerEmbedding: Sendable {
    /// Values of a slice.
    let length: Int
    /// vocabulary × (blocks · length).
    let per_layer_token_embd: EmbeddingTable
    let per_layer_model_proj: Linear
    let per_layer_proj_norm: Norm

    init(
        length: Int, _ c: Configuration, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.length = length
        let columns = c.blockCount * length
        per_layer_token_embd = try loader.table(
            "per_layer_token_embd.weight", columns: columns, rows: c.vocabularySize)
        per_layer_model_proj = try loader.linear("per_layer_model_proj", inputs: c.embeddingLength, outputs: columns)
        per_layer_proj_norm = try loader.norm("per_layer_proj_norm", width: length, c.norm)
    }
}

/// One block's part.
struct PerLayerInput: Sendable {
    /// Which slice is the block's.
    let index: Int
    let length: Int
    let inp_gate: Linear
    let proj: Linear
    let post_norm: Norm

    init(
        _ prefix: String, _ index: Int, length: Int, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        (self.index, self.length) = (index, length)
        inp_gate = try loader.linear(prefix + "inp_gate", inputs: width, outputs: length)
        proj = try loader.linear(prefix + "proj", inputs: length, outputs: width)
        post_norm = try loader.norm(prefix + "post_norm", width: width, norm)
    }
}

extension ForwardPass {
    /// s = (norm(projection(x) / √width) + √length · embedding(token)) / √2, for all blocks at once
    func embedPerLayer(_ embedding: PerLayerEmbedding) {
        guard let slices = workspace.perLayer, let projected = workspace.perLayerProjection else { return }
        let length = Float(embedding.length)
        backend.embed(tokens, embedding.per_layer_token_embd, scale: length.squareRoot(), into: slices)
        backend.multiply(workspace.x, rows: rows, [embedding.per_layer_model_proj.into(projected)])
        backend.scale(projected, rows: rows, by: 1 / Float(c.embeddingLength).squareRoot())
        normalise(projected, rows: rows, embedding.per_layer_proj_norm, into: projected)
        backend.add(projected, scale: 1, to: slices, rows: rows)
        backend.scale(slices, rows: rows, by: 1 / Float(2).squareRoot())
    }

    /// x += norm(proj(activation(inp_gate(x)) ⊙ s))
    func addPerLayerInput(_ input: PerLayerInput) {
        guard let slices = workspace.perLayer, let slice = workspace.perLayerSlice, let gate = workspace.perLayerGate
        else { return }
        backend.copyColumns(
            slices, rows: rows, ColumnCopy(input.length, from: input.index * input.length), into: slice)
        backend.multiply(workspace.x, rows: rows, [input.inp_gate.into(gate)])
        backend.gate(gate, slice, rows: rows, c.activation, into: gate)
        backend.multiply(gate, rows: rows, [input.proj.into(workspace.y)])
        normalise(workspace.y, rows: rows, input.post_norm, into: workspace.y)
        backend.add(workspace.y, scale: 1, to: workspace.x, rows: rows)
    }
}
