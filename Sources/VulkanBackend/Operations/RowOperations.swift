// Operations that work on each row by itself, except norms and products.

import InferTensors

/// x[i] = scale · table[tokens[i]]
struct Embedding {
    let table: DeviceWeights
    /// The tokens, as 32-bit integers.
    let tokens: DeviceAddress
    let rows: Int
    let scale: Float
    let x: DeviceRows
}

/// y[i] = x[indices[i]], for rows with the same stride.
struct Gathering {
    let x: DeviceRows, y: DeviceRows
    /// The indices, as 32-bit integers.
    let indices: DeviceAddress
    let rows: Int
}

/// x += scale · y, by itself or at the end of the operation that computes y.
struct Addition {
    let y: DeviceRows, x: DeviceRows
    let rows: Int
    let scale: Float

    /// Whether it adds exactly `results`, to rows that are not in any of the buffers `operands`.
    func adds(_ results: DeviceRows, rows: Int, besides operands: [DeviceAddress]) -> Bool {
        y.address == results.address && self.rows == rows && x.columns == results.columns
            && x.buffer != results.buffer && !operands.contains(x.buffer)
    }
}

/// x += factors · y, each of `count` equal groups of columns by its own factor.
struct GroupAddition {
    let y: DeviceRows, x: DeviceRows
    let rows: Int
    let factors: DeviceAddress, count: Int
}

/// Copies groups of columns from rows to others.
struct RowCopy {
    let x: DeviceRows, y: DeviceRows
    let rows: Int
    let columns: ColumnCopy
}

/// y = activation(gate) ⊙ up, or y = activation(gate) without `up`. `rounding` also rounds y for the products that follow.
struct ActivationOperation {
    let gate: DeviceRows, up: DeviceRows?, y: DeviceRows
    let rows: Int
    let activation: Activation
    var rounding: InputRounding?
}

/// A change of each element of x in place.
struct RowScaling {
    enum Function {
        /// x = factor · x
        case scale(Float)
        /// x[i] = factors[i] · x[i], each equal group of columns by its own factor
        case scaleRows(DeviceRows)
        /// x = exp(rates · x), each of `count` equal groups of columns by its own rate
        case decay(rates: DeviceAddress, count: Int)
        /// x = cap · tanh(x / cap)
        case softCap(Float)
    }

    let x: DeviceRows
    let rows: Int
    let function: Function
}

/// The choice of each row's experts from the router's outputs.
struct ExpertChoice {
    let logits: DeviceRows
    let rows: Int
    let parameters: RoutingParameters
    /// The parameters' vectors.
    let selectionBias: DeviceAddress?, expertScales: DeviceAddress?
    let experts: DeviceExperts
}

extension DeviceTiling {
    /// Whether the router's shader has room for that many experts and groups.
    func hasRoom(forExperts experts: Int, groups: Int) -> Bool {
        // As `keys`, `groupValues`, `lanes` and `places` in `route.comp`.
        4 * (experts + groups + 64) <= sharedBytes
    }
}

/// The experts that were chosen for rows, and their weights.
struct DeviceExperts {
    /// Element i · `used` + j is the expert, or its weight, that is choice j of row i. Experts are 32-bit integers, weights are
    /// f32. `experts` also identifies the buffer of both.
    let experts: DeviceAddress, weights: DeviceAddress
    /// Experts of a row.
    let used: Int
}

/// y[i] = Σ_j weight(i, j) · x[i · used + j]; then, with an addition, x' += scale · y for other rows x'.
struct ExpertCombination {
    let x: DeviceRows, y: DeviceRows
    let rows: Int
    let experts: DeviceExperts
    private(set) var addition: Addition?

    init(_ x: DeviceRows, rows: Int, _ experts: DeviceExperts, into y: DeviceRows) {
        (self.x, self.y, self.rows, self.experts) = (x, y, rows, experts)
    }

    /// This followed by an addition of the sums; nil if `next` adds something else.
    func adding(_ next: Addition) -> Self? {
        guard addition == nil, next.adds(y, rows: rows, besides: [x.buffer]) else { return nil }
        var joined = self
        joined.addition = next
        return joined
    }
}

/// The top tokens of rows of logits.
struct TopTokenSearch {
    /// Logits of a block, whose maximum is taken first.
    static let block = 64

    let logits: DeviceRows
    let rows: Int
    /// The number of logits that are searched in each row.
    let tokenCount: Int
    /// Per row, the maxima of its blocks.
    let maxima: DeviceRows
    /// Per row, the results: keys of eight bytes, the largest logit first.
    let keys: DeviceRows
    /// Keys of a row.
    let count: Int
}

/// The sum of the softmax's numerators of rows of logits, in total and before each top token.
struct SoftmaxSum {
    let logits: DeviceRows
    let rows: Int
    let tokenCount: Int
    /// The logits are multiplied by this.
    let scale: Float
    /// The results of a ``TopTokenSearch``.
    let keys: DeviceRows
    /// Keys of a row.
    let count: Int
    /// Per row, the sum of each block.
    let blocks: DeviceRows
    /// Per row, the results: the total, then the sum before each top token.
    let sums: DeviceRows
}
