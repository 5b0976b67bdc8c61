// What backend operations work on: handles to memory whose layout only the backend knows.

package import InferGGUF

/// A weight matrix, or a stack of them, one per expert, prepared for products. Each backend subclasses it.
open class WeightMatrix: @unchecked Sendable {
    /// Element type in the model file.
    package let type: TensorType
    /// Extent of the inner products: the input width.
    package let columns: Int
    /// Number of outputs.
    package let rows: Int
    /// Number of stacked matrices; 1 for an ordinary weight.
    package let experts: Int

    /// A handle of that shape.
    package init(type: TensorType, columns: Int, rows: Int, experts: Int) {
        self.type = type
        self.columns = columns
        self.rows = rows
        self.experts = experts
    }
}

/// f32 values that belong to the model: norm weights, biases.
open class WeightVector: @unchecked Sendable {
    /// Number of values.
    package let count: Int

    /// A handle of that size.
    package init(count: Int) { self.count = count }
}

/// A matrix whose rows are looked up one at a time.
open class EmbeddingTable: @unchecked Sendable {
    /// Length of a row.
    package let columns: Int
    /// Number of rows.
    package let rows: Int

    /// A handle of that shape.
    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// A matrix of f32 activations, one row per token.
open class Activations: @unchecked Sendable {
    /// Most rows it can hold.
    package let rows: Int
    /// Length of a row.
    package let columns: Int

    /// A handle of that shape.
    package init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }
}

/// The experts chosen for each row of a step and their weights.
open class ExpertRouting: @unchecked Sendable {
    /// Most rows it can hold.
    package let rows: Int
    /// Experts per row.
    package let expertsUsed: Int

    /// A handle of that shape.
    package init(rows: Int, expertsUsed: Int) {
        self.rows = rows
        self.expertsUsed = expertsUsed
    }
}

/// One product of a region: output = input · weightᵀ + bias.
package struct Projection: Sendable {
    /// rows × columns: outputs × inputs.
    package let weight: WeightMatrix
    /// One value per output (and expert), or none.
    package let bias: WeightVector?
    /// Where the result goes: at least as many rows as the step, `weight.rows` columns.
    package let output: Activations
    /// Where the largest of each ``TopTokenBuffers/blockLength`` outputs goes, for a search that follows; nil for nowhere. A
    /// backend whose searches gain nothing by it may leave it alone.
    package let maxima: Activations?

    /// The product `input · weightᵀ + bias` into `output`.
    package init(
        _ weight: WeightMatrix, bias: WeightVector?, into output: Activations, maxima: Activations? = nil
    ) {
        self.weight = weight
        self.bias = bias
        self.output = output
        self.maxima = maxima
    }
}

/// Groups of columns that are copied from row to row: value j of group g goes from column `source + g · sourceStride + j` to
/// column `target + g · targetStride + j`.
package struct ColumnCopy: Sendable {
    /// Number of groups, and of columns in each.
    package var count: Int, length: Int
    package var source: Int, sourceStride: Int
    package var target: Int, targetStride: Int

    /// `length` consecutive columns.
    package init(_ length: Int, from source: Int = 0, to target: Int = 0) {
        self.init(count: 1, of: length, from: source, every: length, to: target, every: length)
    }

    /// `count` groups of `length` columns.
    package init(
        count: Int, of length: Int, from source: Int, every sourceStride: Int, to target: Int, every targetStride: Int
    ) {
        (self.count, self.length) = (count, length)
        (self.source, self.sourceStride) = (source, sourceStride)
        (self.target, self.targetStride) = (target, targetStride)
    }
}

/// Which two dimensions of a head RoPE rotates together.
package enum RotaryPairing: Sendable {
    /// Dimensions 2i and 2i + 1 (the paper's).
    case adjacent
    /// Dimensions i and i + pairs (GPT-NeoX's).
    case halves
}

/// The non-linearity of a feed-forward layer.
package enum Activation: Sendable {
    /// x · σ(x)
    case silu
    /// ½x · (1 + tanh(√(2/π)(x + 0.044715x³)))
    case gelu
    /// x
    case identity
    /// σ(x) = 1 / (1 + exp(−x))
    case sigmoid
    /// ln(1 + exp(x))
    case softplus
    /// max(x, 0)²
    case squaredReLU
    /// gpt-oss: with x = min(gate, limit) and u = clamp(up, ±limit): x · σ(αx) · (u + 1), α = 1.702, limit = 7. Gated only.
    case clampedSwiGLU
}

/// What distinguishes one layer's attention from another's.
package struct AttentionParameters: Sendable {
    /// Query heads.
    package var heads: Int
    /// Key–value heads; `heads` is a multiple of it, and query head h reads key–value head h / (heads / keyValueHeads).
    package var keyValueHeads: Int
    /// Scores are multiplied by this before the softmax.
    package var scale: Float
    /// Number of latest positions a token sees, itself included; nil for all.
    package var window: Int?
    /// Scores s become cap · tanh(s / cap) after scaling.
    package var softCap: Float?
    /// Per head, a score that takes part in the softmax with a value of zero (attention sink).
    package var sinks: WeightVector?

    /// The parameters of one attention layer.
    package init(
        heads: Int, keyValueHeads: Int, scale: Float, window: Int? = nil, softCap: Float? = nil,
        sinks: WeightVector? = nil
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.scale = scale
        self.window = window
        self.softCap = softCap
        self.sinks = sinks
    }
}

/// How a mixture-of-experts layer turns router outputs into experts and weights.
package struct RoutingParameters: Sendable {
    /// What the weights come from.
    package enum Gating: Sendable {
        /// Softmax over all experts, then the largest.
        case softmaxThenTop
        /// The largest, then softmax over those.
        case topThenSoftmax
        /// A sigmoid for each expert, then the largest (arXiv 2412.19437).
        case sigmoid
    }
    package var gating: Gating
    /// Whether the chosen weights are divided by their sum.
    package var normalisesWeights: Bool
    /// The sum is at least this before weights are divided by it.
    package var smallestSum: Float = 0
    /// The weights are multiplied by this at the end.
    package var weightScale: Float
    /// Added to the weights of all experts for the choice alone (arXiv 2408.15664); nil for none.
    package var selectionBias: WeightVector?
    /// The weight of each expert is multiplied by its own of these; nil for none.
    package var expertScales: WeightVector?
    /// Equal groups of consecutive experts, and of how many of them experts may be chosen: those with the largest sum of their best
    /// two (arXiv 2412.19437).
    package var groupCount = 1, groupsUsed = 1

    /// The routing rule of a layer.
    package init(gating: Gating, normalisesWeights: Bool, weightScale: Float = 1) {
        self.gating = gating
        self.normalisesWeights = normalisesWeights
        self.weightScale = weightScale
    }
}
