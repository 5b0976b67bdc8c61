// Products of the same inputs with several matrices.

import CInferVulkanKernels
import InferSupport
import InferTensors

/// y[j] = x · weight[j]ᵀ + bias[j] of `columns` columns, as many of which in a row share one of `rows` inputs.
///
/// What gives x may round it, too, and what is added to a stream at the end may be the last of the products.
struct Products {
    /// What comes before, and rounds its results.
    private enum Source {
        case norm(NormOperation)
        case activation(ActivationOperation)
    }

    let x: DeviceRows
    let rows: Int, columns: Int
    /// Each column's expert; nil where all columns have the same matrix.
    let experts: UInt64?
    /// Where inputs go that are rounded to eight bits.
    let inputs: UInt64
    let products: [Product]
    private var source: Source?
    private var addition: Addition?

    init(
        _ x: DeviceRows, rows: Int, columns: Int, _ products: [Product], experts: UInt64?, roundedTo inputs: UInt64
    ) {
        (self.x, self.rows, self.columns, self.products) = (x, rows, columns, products)
        (self.experts, self.inputs) = (experts, inputs)
    }

    /// How the first product that wants its inputs rounded wants them.
    private var rounding: InputRounding? {
        products.lazy.compactMap(\.layout).first.map { InputRounding(isSuper: $0.isSuper, inputs: inputs) }
    }

    /// With the norm that gives x; nil where it gives something else, or nothing is to be rounded.
    func rounding(_ norm: NormOperation) -> Self? {
        guard source == nil, let rounding, norm.results?.address == x.address, norm.rows == rows,
            let rounded = norm.rounded(rounding)
        else { return nil }
        var joined = self
        joined.source = .norm(rounded)
        return joined
    }

    /// With the activation that gives x, likewise.
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

    /// With an addition of the last product's results; nil where it adds something else.
    func adding(_ next: Addition) -> Self? {
        guard addition == nil, experts == nil, let last = products.last, last.rows == last.output.columns,
            next.adds(last.output, rows: columns, besides: [x.address])
        else { return nil }
        var joined = self
        joined.addition = next
        return joined
    }

    func record(on queue: CommandQueue) throws(InferenceError) {
        /// How the inputs are rounded so far.
        var isSuper = rounding?.isSuper
        switch source {
        case .norm(let norm): try norm.record(on: queue)
        case .activation(let activation): try activation.record(on: queue)
        case nil: isSuper = nil
        }
        for (index, product) in products.enumerated() {
            if let layout = product.layout, isSuper != layout.isSuper {
                try round(InputRounding(isSuper: layout.isSuper, inputs: inputs), on: queue)
                isSuper = layout.isSuper
            }
            try product.record(
                of: self, adding: index == products.count - 1 ? addition : nil, on: queue)
        }
    }

    /// Rounds the inputs to eight bits.
    private func round(_ rounding: InputRounding, on queue: CommandQueue) throws(InferenceError) {
        let fours = x.columns / 4
        try queue.dispatch(
            Shader(SI_SHADER_quantize, [rounding.isSuper ? 1 : 0]),
            PushConstants([x.address, rounding.inputs], [fours, x.stride]), groups: ((fours + 63) / 64, rows, 1),
            reads: [x.address], writes: [rounding.inputs])
    }
}
