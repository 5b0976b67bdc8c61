// A product with one matrix.

import CInferVulkanKernels
import InferSupport
import InferTensors

/// The matrix, and where its products go.
struct Product {
    /// The planes of quantised weights; nil for floats.
    let layout: PlaneLayout?
    let rows: Int
    let output: DeviceRows
    private let low: UInt64, high: UInt64, scales: UInt64, factors: UInt64
    private let pieces: Int, element: Int
    private let bias: UInt64?
    private let tiling: DeviceTiling

    init(_ projection: Projection, on tiling: DeviceTiling) {
        let planes = planes(projection.weight)
        layout = planes.layout
        rows = projection.weight.rows
        output = DeviceRows(activations(projection.output))
        (low, high, scales, factors) = (planes.low, planes.high, planes.scales, planes.factors)
        (pieces, element) = (planes.pieces, planes.element)
        bias = projection.bias.map(address)
        self.tiling = tiling
    }

    /// Records it as one of `products`, whose inputs are ready, with the addition of its results where that follows.
    func record(of products: Products, adding addition: Addition?, on queue: CommandQueue) throws(InferenceError) {
        let columns = products.columns, sharing = columns / max(products.rows, 1)
        let tile = ProductTile(columns: products.experts == nil ? columns : 1, rows: rows, on: tiling)
        let choices: [UInt32] = [
            UInt32(tile.rows), UInt32(tile.columns), products.experts == nil ? 0 : 1, bias == nil ? 0 : 1,
            addition == nil ? 0 : 1,
        ]
        let sum = addition?.x
        let ends: [UInt64] = [output.address, bias ?? 0, products.experts ?? 0, sum?.address ?? 0]
        let operands: PushConstants, shader: Shader, source: UInt64
        if let layout {
            source = products.inputs
            shader = Shader(SI_SHADER_multiply_quantized, layout.constants + choices)
            operands = PushConstants(
                [low, high, scales, factors, source] + ends,
                [pieces, rows, columns, output.stride, sharing, sum?.stride ?? 0], [addition?.scale ?? 1])
        } else {
            source = products.x.address
            shader = Shader(SI_SHADER_multiply_float, [UInt32(element)] + [UInt32](repeating: 0, count: 7) + choices)
            operands = PushConstants(
                [low, source] + ends,
                [pieces, rows, columns, products.x.stride, output.stride, sharing, sum?.stride ?? 0],
                [addition?.scale ?? 1])
        }
        try queue.dispatch(
            shader, operands, groups: tile.groups(rows: rows, columns: columns),
            reads: products.experts.map { [source, $0] } ?? [source],
            writes: sum.map { [output.address, $0.address] } ?? [output.address])
    }
}
