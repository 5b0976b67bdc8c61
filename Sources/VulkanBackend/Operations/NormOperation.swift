// Norms of rows, together with what often precedes and follows them.

import InferSupport

/// y = norm(x), over whole rows or over each of their sections.
///
/// A norm of whole rows can continue: y is added to a stream (`addition`), the sum is normalised too (`second`), and the last
/// results are rounded as inputs of products (`rounding`).
struct NormOperation {
    /// One norm of `width` values.
    struct Norm {
        let x: DeviceRows, y: DeviceRows
        let weight: DeviceAddress, bias: DeviceAddress?
        /// Values of a section.
        let width: Int
        /// Weights, and biases: those of a section, or of several, in turn.
        let weightCount: Int
        let epsilon: Float
        /// Whether the mean is subtracted (layer norm) or not (RMS norm).
        let isCentred: Bool

        /// Whether it normalises whole rows.
        var isWhole: Bool { width == x.columns && width == y.columns }
    }

    let first: Norm
    let rows: Int
    private(set) var addition: Addition?
    /// The norm of the sum.
    private(set) var second: Norm?
    private(set) var rounding: InputRounding?

    init(_ norm: Norm, rows: Int) {
        first = norm
        self.rows = rows
    }

    /// The results of its last norm; nil if it ends with an addition.
    var results: DeviceRows? { addition == nil ? first.y : second?.y }

    /// This followed by an addition of the results; nil if `next` adds something else.
    func adding(_ next: Addition) -> Self? {
        guard addition == nil, first.isWhole, next.adds(first.y, rows: rows, besides: [first.x.buffer]) else {
            return nil
        }
        var joined = self
        joined.addition = next
        return joined
    }

    /// This followed by a norm of the sum that `addition` makes; nil if `next` normalises something else or is of another kind.
    func normalizingSum(_ next: Self) -> Self? {
        let norm = next.first
        guard let addition, second == nil, norm.x.address == addition.x.address, next.rows == rows,
            norm.isWhole, norm.isCentred == first.isCentred, (norm.bias == nil) == (first.bias == nil),
            ![first.x.buffer, first.y.buffer, addition.x.buffer].contains(norm.y.buffer)
        else { return nil }
        var joined = self
        joined.second = norm
        return joined
    }

    /// This with its results rounded; nil if they are not whole rows.
    func rounded(_ rounding: InputRounding) -> Self? {
        guard self.rounding == nil, results != nil, first.isWhole else { return nil }
        var joined = self
        joined.rounding = rounding
        return joined
    }
}
