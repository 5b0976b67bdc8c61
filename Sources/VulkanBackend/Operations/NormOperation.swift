// Norms of rows, with what often stands before and after them.

import CInferVulkanKernels
import InferSupport

/// y = norm(x), of whole rows or of each of their sections. Of whole rows it may go on: y is added to a stream, the sum is
/// normalised, too, and the last results are rounded for products.
struct NormOperation {
    /// One norm of `width` values.
    struct Norm {
        let x: DeviceRows, y: DeviceRows
        let weight: UInt64, bias: UInt64?
        let width: Int
        let epsilon: Float
        let isCentred: Bool

        /// Whether it is of whole rows.
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

    /// Where the results of its last norm lie, if these are what comes last.
    var results: DeviceRows? { addition == nil ? first.y : second?.y }

    /// With an addition of the results; nil where it adds something else.
    func adding(_ next: Addition) -> Self? {
        guard addition == nil, first.isWhole, next.adds(first.y, rows: rows, besides: [first.x.address]) else {
            return nil
        }
        var joined = self
        joined.addition = next
        return joined
    }

    /// With a norm of the sum that `addition` makes; nil where `next` is of something else or another kind.
    func normalizingSum(_ next: Self) -> Self? {
        let norm = next.first
        guard let addition, second == nil, norm.x.address == addition.x.address, next.rows == rows,
            norm.isWhole, norm.isCentred == first.isCentred, (norm.bias == nil) == (first.bias == nil),
            ![first.x.address, first.y.address, addition.x.address].contains(norm.y.address)
        else { return nil }
        var joined = self
        joined.second = norm
        return joined
    }

    /// With its results rounded; nil where they are not whole rows.
    func rounded(_ rounding: InputRounding) -> Self? {
        guard self.rounding == nil, results != nil, first.isWhole else { return nil }
        var joined = self
        joined.rounding = rounding
        return joined
    }

    func record(on queue: CommandQueue) throws(InferenceError) {
        // What the shader does last stands first among its parameters.
        let last = second ?? first
        let (x, y) = addition.map { ($0.x, second?.y) } ?? (first.x, first.y)
        var writes = [first.y.address]
        if let addition { writes.append(addition.x.address) }
        if let second { writes.append(second.y.address) }
        if let rounding { writes.append(rounding.inputs) }
        try queue.dispatch(
            Shader(
                SI_SHADER_normalize,
                [
                    rounding?.isSuper == true ? 1 : 0, first.isCentred ? 1 : 0, first.bias == nil ? 0 : 1,
                    rounding == nil ? 0 : 1, addition == nil ? 0 : 1, y == nil ? 0 : 1,
                ]),
            PushConstants(
                [
                    x.address, y?.address ?? 0, last.weight, last.bias ?? 0, rounding?.inputs ?? 0, first.x.address,
                    first.y.address, first.weight, first.bias ?? 0,
                ], [first.width, x.stride, y?.stride ?? 0, first.x.stride, first.y.stride],
                [last.epsilon, first.epsilon, addition?.scale ?? 1]),
            groups: (first.x.columns / first.width, rows, 1), reads: [first.x.address], writes: writes)
    }
}
