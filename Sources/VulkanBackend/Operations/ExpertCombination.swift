// The weighted sum of what experts give.

import CInferVulkanKernels
import InferSupport
import InferTensors

/// y[i] = Σ_j weight(i, j) · x[i·used + j], and x += scale · y of other rows where that follows.
struct ExpertCombination {
    let x: DeviceRows, y: DeviceRows
    let rows: Int
    let expertsUsed: Int
    /// The routing, and the weights in it.
    let routing: UInt64, weights: UInt64
    private(set) var addition: Addition?

    init(_ x: DeviceRows, rows: Int, _ routing: VulkanExpertRouting, into y: DeviceRows) {
        (self.x, self.y, self.rows) = (x, y, rows)
        expertsUsed = routing.expertsUsed
        self.routing = routing.experts
        weights = routing.weights
    }

    /// With an addition of the sums; nil where it adds something else.
    func adding(_ next: Addition) -> Self? {
        guard addition == nil, next.adds(y, rows: rows, besides: [x.address]) else { return nil }
        var joined = self
        joined.addition = next
        return joined
    }

    func record(on queue: CommandQueue) throws(InferenceError) {
        let target = addition?.x
        try queue.dispatch(
            Shader(SI_SHADER_elementwise, [ElementwiseOperation.combineExperts.rawValue, 0, addition == nil ? 0 : 1]),
            PushConstants(
                [x.address, weights, y.address, target?.address ?? 0],
                [x.columns, x.stride, 0, y.stride, target?.stride ?? 0, expertsUsed], [addition?.scale ?? 1]),
            groups: ((x.columns + 127) / 128, rows, 1), reads: [x.address, routing],
            writes: [y.address] + (target.map { [$0.address] } ?? []))
    }
}
