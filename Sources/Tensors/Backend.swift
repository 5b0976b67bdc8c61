// The operations a transformer's forward pass is written in; each backend supplies them for its device.

package import InferGGUF
package import InferSupport

/// A device that holds weights and activations and computes with them.
///
/// Operations are issued in order and work on whole steps: `rows` rows of activations, one per token. A backend may queue
/// them; ``read(_:rows:_:)`` is the one point that waits for results. Shapes are checked by the caller, which built all
/// operands from one configuration; an operation may trap on operands of another backend or shape.
///
/// **Exactness.** The value of a result row depends on that row's inputs alone: not on `rows`, nor on the other sequences of the
/// step, nor on the number of threads, nor on where in the cache its ancestors lie. No sum is split by step width or by thread.
package protocol Backend: AnyObject, Sendable {
    /// The backend's name on the command line, such as `cpu`.
    var name: String { get }

    // MARK: Memory

    /// Whether products with weights of this type can be computed.
    func supports(_ type: TensorType) -> Bool

    /// Loads rows `rows` of every matrix in `tensor` (`[columns, rows]`, or `[columns, rows, experts]`) for products.
    func makeMatrix(_ tensor: TensorInfo, rows: Range<Int>, of file: GGUFFile) throws(InferenceError) -> WeightMatrix

    /// Loads a tensor as f32 values: norm weights, biases, sinks.
    func makeVector(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> WeightVector

    /// Makes a vector of values that the host has computed from a file's.
    func makeVector(_ values: [Float]) throws(InferenceError) -> WeightVector

    /// Makes an f32 matrix (`experts` × `rows` × `columns`, row-major) of values that the host has computed from a file's.
    func makeMatrix(
        _ values: [Float], columns: Int, rows: Int, experts: Int
    ) throws(InferenceError) -> WeightMatrix

    /// Loads a tensor for looking up single rows.
    func makeTable(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> EmbeddingTable

    /// Activations of up to `rows` rows of `columns` values, zeroed.
    func makeActivations(rows: Int, columns: Int) throws(InferenceError) -> Activations

    /// The same memory as that of `x`, in rows of `columns` values; `x.columns` is a multiple of it.
    func makeView(of x: Activations, columns: Int) -> Activations

    /// An empty key–value cache.
    func makeCache(_ shape: KVCacheShape) throws(InferenceError) -> KVCache

    /// The memory of recurrent layers for one sequence, in the state before the first token: zeros.
    func makeRecurrentMemory(_ shape: RecurrentShape) throws(InferenceError) -> any RecurrentMemory

    /// The experts chosen for each of up to `rows` rows.
    func makeRouting(rows: Int, expertsUsed: Int) throws(InferenceError) -> ExpertRouting

    // MARK: Moving data

    /// x[0..<values.count / columns] = values, row after row.
    func write(_ values: [Float], to x: Activations)

    /// Ends a step: starts all operations so far and, unless `results` is empty, waits until row 0..<rows of each can be read.
    ///
    /// - Throws: `deviceFailure` or `outOfMemory` where an operation since the last call has failed; their results are lost.
    func finish(reading results: [Activations], rows: Int) throws(InferenceError)

    /// Waits for all operations so far and lends row 0..<rows of `x`, row-major, to `body`.
    func read<R>(_ x: Activations, rows: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R

    /// y[i] = x[indices[i]]
    func gather(_ x: Activations, rows indices: [Int], into y: Activations)

    /// Copies groups of columns from each row of `x` to the same row of `y`.
    func copyColumns(_ x: Activations, rows: Int, _ columns: ColumnCopy, into y: Activations)

    /// Copies whole cache slots, all layers: slot `to` takes the entries of slot `from`, one pair after the other.
    func moveSlots(_ moves: [(from: Int, to: Int)], in cache: KVCache)

    /// Copies slots 0..<count, all layers, to the same slots of another cache of the same layers, heads and type.
    func copySlots(_ count: Int, from source: KVCache, to target: KVCache)

    /// Writes all slots of a cache in the form that ``read(_:from:)`` of the same backend and a cache of the same shape takes.
    func write(_ cache: KVCache, to sink: ByteSink) throws(InferenceError)

    /// Reads all slots of a cache.
    ///
    /// - Throws: `unreadableFile` if there are too few bytes.
    func read(_ cache: KVCache, from source: inout ByteSource) throws(InferenceError)

    // MARK: Operations on rows

    /// x[i] = scale · table[tokens[i]]
    func embed(_ tokens: [Int32], _ table: EmbeddingTable, scale: Float, into x: Activations)

    /// RMS norm (arXiv 1910.07467): y = x / √(mean(x²) + ε) · weight, over each `width` consecutive values of a row: the whole
    /// row, or one attention head. The weights are one group's, or those of several groups, in turn. `y` may be `x`.
    func rmsNorm(_ x: Activations, rows: Int, width: Int, weight: WeightVector, epsilon: Float, into y: Activations)

    /// Layer norm (arXiv 1607.06450): y = (x − mean) / √(variance + ε) · weight + bias, likewise.
    func layerNorm(
        _ x: Activations, rows: Int, width: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float,
        into y: Activations)

    /// y[j] = x · projections[j].weightᵀ + projections[j].bias, for several matrices of the same number of columns.
    func multiply(_ x: Activations, rows: Int, _ projections: [Projection])

    /// Rotates each head's pairs (arXiv 2104.09864) in place, from dimension `offset` of the head on. `rotation` holds per row cos
    /// and sin, interleaved, for the `rotation.columns / 2` pairs; the other dimensions stay as they are.
    func rotate(
        _ x: Activations, rows: Int, headDimension: Int, offset: Int, rotation: Activations, pairing: RotaryPairing)

    /// y = activation(gate) ⊙ up. `y` may be `gate`.
    func gate(_ gate: Activations, _ up: Activations, rows: Int, _ activation: Activation, into y: Activations)

    /// x = activation(x)
    func activate(_ x: Activations, rows: Int, _ activation: Activation)

    /// x += scale · y
    func add(_ y: Activations, scale: Float, to x: Activations, rows: Int)

    /// x[i] += factors · y[i]: each of the `factors.count` equal groups of columns by its own factor.
    func add(_ y: Activations, scales factors: WeightVector, to x: Activations, rows: Int)

    /// x = exp(rates · x): each of the `rates.count` equal groups of columns by its own rate.
    func decay(_ x: Activations, rows: Int, rates: WeightVector)

    /// x = scale · x
    func scale(_ x: Activations, rows: Int, by scale: Float)

    /// x[i] = factors[i] · x[i]: each of the `factors.columns` equal groups of columns by its own factor.
    func scaleRows(_ x: Activations, rows: Int, by factors: Activations)

    /// x = cap · tanh(x / cap)
    func softCap(_ x: Activations, rows: Int, cap: Float)

    /// Finds the top tokens of each row of logits among the first `tokenCount`, in the order of ``TopToken``: as many as
    /// `topTokens` has room for, fewer only where there are no more. NaN and −∞ are never among them. `hasMaxima` says that the
    /// product that gave these logits has left the maxima of its blocks in `topTokens`.
    func findTopTokens(
        _ logits: Activations, rows: Int, of tokenCount: Int, hasMaxima: Bool, into topTokens: TopTokenBuffers)

    // MARK: Attention

    /// Writes the keys and values of all segments' rows (rows × heads·dimension) to one layer of their caches: row i of a segment
    /// to slot `committed + i`.
    func store(keys: Activations, values: Activations, _ segments: [AttentionSegment], layer: Int)

    /// Softmax attention of each row over the tokens that its segment lets it see, in two passes: exact maximum, then sums in the
    /// order of logical positions. y has as many rows as all segments, × heads·valueDimension.
    func attend(
        _ queries: Activations, _ segments: [AttentionSegment], layer: Int, _ parameters: AttentionParameters,
        into y: Activations)

    // MARK: Recurrent layers

    /// Causal depthwise convolution along each row's path: y[i][c] = Σ_j weight[j][c] · x_{k−1−j}[c] + bias[c], where x₀ is row i,
    /// x₁ the row or token before it and so on; SiLU of that if `activates`. `weight` has k × x.columns values. Keeps the inputs that
    /// later steps need in `memory`.
    func convolve(
        _ x: Activations, _ segments: [RecurrentSegment], layer: Int, weight: WeightVector, bias: WeightVector?,
        activates: Bool, into y: Activations)

    /// Advances each row's state from its parent's and reads from it, see ``ScanParameters``. `y` has a row of heads × valueLength
    /// values for each row.
    func scan(
        _ inputs: ScanInputs, _ segments: [RecurrentSegment], layer: Int, _ parameters: ScanParameters,
        into y: Activations)

    // MARK: Mixture of experts

    /// Chooses all experts for each row, expert j as choice j: for matrices that are stacked by attention head.
    func routeToAll(rows: Int, into routing: ExpertRouting)

    /// Chooses experts for each row from the router's outputs; ties go to the lower index.
    func route(_ logits: Activations, rows: Int, _ parameters: RoutingParameters, into routing: ExpertRouting)

    /// y[i·used + j] = x[i] · weight[expert(i, j)]ᵀ + bias[expert(i, j)]; where x has rows · used rows already, row
    /// i·used + j of it instead of row i.
    func multiplyExperts(_ x: Activations, rows: Int, _ projections: [Projection], _ routing: ExpertRouting)

    /// y[i] = Σ_j weight(i, j) · x[i·used + j], j ascending.
    func combineExperts(_ x: Activations, rows: Int, _ routing: ExpertRouting, into y: Activations)
}
