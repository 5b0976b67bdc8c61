// Products of the same inputs with several matrices.

import InferSupport

/// A product with one matrix: output = x · weightsᵀ + bias.
struct Product {
    let weights: DeviceWeights
    /// Rows of the matrix: values of an output row.
    let rows: Int
    let bias: DeviceAddress?
    let output: DeviceRows
}

/// y[j] = x · weights[j]ᵀ + bias[j] for `columns` columns. `columns / rows` consecutive columns share one of `rows` inputs.
///
/// The operation that computes x can also round it to eight bits, and the last product can also add its results to a stream.
struct Products {
    /// The preceding operation, which rounds its results.
    private enum Source {
        case norm(NormOperation)
        case activation(ActivationOperation)
    }

    /// One of the products, as a command.
    struct Command {
        let product: Product
        let x: DeviceRows
        /// The inputs, rounded to eight bits; quantised weights take these instead of `x`.
        let inputs: DeviceAddress
        /// The first column, and how many there are.
        let firstColumn: Int, columns: Int
        /// Consecutive columns that share an input.
        let sharing: Int
        let experts: DeviceAddress?
        /// The addition of the results to a stream, if one follows.
        let addition: Addition?

        /// The buffer of the inputs that the product takes.
        var source: DeviceAddress { product.weights.layout == nil ? x.buffer : inputs }
    }

    /// Columns of a command with experts: each has a workgroup of its own in a dimension that has room for 65,535.
    private static let mostColumns = 32_768

    private let x: DeviceRows
    private let rows: Int, columns: Int
    /// The expert of each column; nil if all columns have the same matrix.
    private let experts: DeviceAddress?
    /// Where inputs go that are rounded to eight bits.
    private let inputs: DeviceAddress
    private let products: [Product]
    private var source: Source?
    private var addition: Addition?

    init(
        _ x: DeviceRows, rows: Int, columns: Int, _ products: [Product], experts: DeviceAddress?,
        roundedTo inputs: DeviceAddress
    ) {
        (self.x, self.rows, self.columns, self.products) = (x, rows, columns, products)
        (self.experts, self.inputs) = (experts, inputs)
    }

    /// How the first product with quantised weights takes its inputs.
    private var rounding: InputRounding? {
        products.lazy.compactMap(\.weights.layout).first.map { InputRounding(isSuper: $0.isSuper, inputs: inputs) }
    }

    /// This preceded by the norm that computes x; nil if `norm` computes something else or nothing is to be rounded.
    func rounding(_ norm: NormOperation) -> Self? {
        guard source == nil, let rounding, let results = norm.results, results.address == x.address,
            results.columns == x.columns, norm.rows == rows, let rounded = norm.rounded(rounding)
        else { return nil }
        var joined = self
        joined.source = .norm(rounded)
        return joined
    }

    /// This preceded by the activation that computes x; nil if `activation` computes something else or nothing is to be rounded.
    func rounding(_ activation: ActivationOperation) -> Self? {
        guard source == nil, let rounding, activation.y.address == x.address, activation.rows == rows,
            activation.gate.columns == x.columns
        else { return nil }
        var joined = self
        var rounded = activation
        rounded.rounding = rounding
        joined.source = .activation(rounded)
        return joined
    }

    /// This followed by an addition of the last product's results; nil if `next` adds something else.
    func adding(_ next: Addition) -> Self? {
        guard addition == nil, experts == nil, let last = products.last, last.rows == last.output.columns,
            next.adds(last.output, rows: columns, besides: [x.buffer])
        else { return nil }
        var joined = self
        joined.addition = next
        return joined
    }

    /// Passes the commands to `record`, in order.
    func record(_ record: (DeviceCommand) throws(InferenceError) -> Void) throws(InferenceError) {
        /// How the inputs are rounded at this point; nil if they are not.
        var isSuper = rounding?.isSuper
        switch source {
        case .norm(let norm): try record(.normalize(norm))
        case .activation(let activation): try record(.activate(activation))
        case nil: isSuper = nil
        }
        for (index, product) in products.enumerated() {
            if let layout = product.weights.layout, isSuper != layout.isSuper {
                try record(.round(x, rows: rows, InputRounding(isSuper: layout.isSuper, inputs: inputs)))
                isSuper = layout.isSuper
            }
            let sharing = columns / max(rows, 1)
            // Whole inputs and whole lines.
            let unit = max(1, sharing * max(x.rowsOfLine, product.output.rowsOfLine))
            let part = experts == nil ? columns : max(unit, Self.mostColumns / unit * unit)
            for first in stride(from: 0, to: columns, by: max(1, part)) {
                let command = Command(
                    product: product, x: x, inputs: inputs, firstColumn: first, columns: min(part, columns - first),
                    sharing: sharing, experts: experts, addition: index == products.count - 1 ? addition : nil)
                try record(.multiply(command))
            }
        }
    }
}
