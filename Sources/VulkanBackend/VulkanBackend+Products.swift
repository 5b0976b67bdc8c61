// Products of activations with weight matrices on the device.

import CVulkanKernels
import GGUF
import Synchronization
package import Tensors

extension VulkanBackend {
    package func multiply(_ x: Activations, rows: Int, _ projections: [Projection]) {
        multiply(activations(x), rows: rows, columns: rows, projections, experts: nil)
    }

    package func multiplyExperts(_ x: Activations, rows: Int, _ projections: [Projection], _ routing: ExpertRouting) {
        let routing = unsafeDowncast(routing, to: VulkanExpertRouting.self)
        let columns = rows * routing.expertsUsed
        let isPerChoice = x.rows >= routing.rows * routing.expertsUsed
        multiply(
            activations(x), rows: isPerChoice ? columns : rows, columns: columns, projections, experts: routing.experts)
    }

    /// Products of `columns` columns, as many of which in a row share one of `rows` inputs.
    private func multiply(
        _ source: VulkanActivations, rows: Int, columns: Int, _ projections: [Projection], experts: UInt64?
    ) {
        let inputs = scratch.withLock { $0.inputs }
        perform { () throws(InferenceError) in
            let operation = queue.operationNumber
            let isSuper = projections.lazy.compactMap { planes($0.weight).layout?.isSuper }.first
            var prepared = inputRounding.withLock {
                $0.multiply(source.address, rows: rows, wants: isSuper, from: inputs.address, operation: operation)
            }
            for projection in projections {
                if let layout = planes(projection.weight).layout, prepared != layout.isSuper {
                    try quantize(source, rows: rows, isSuper: layout.isSuper, into: inputs)
                    prepared = layout.isSuper
                }
                try multiply(
                    source, inputs, columns: columns, sharing: columns / max(rows, 1), projection, experts: experts)
            }
        }
    }

    /// Rounds rows to eight bits.
    private func quantize(
        _ x: VulkanActivations, rows: Int, isSuper: Bool, into inputs: DeviceBuffer
    ) throws(InferenceError) {
        let groups = x.columns / 32
        try queue.dispatch(
            Shader(SI_SHADER_quantize, [isSuper ? 1 : 0]),
            PushConstants([x.address, inputs.address], [groups, x.stride]), groups: ((groups + 63) / 64, rows, 1),
            reads: [x.address], writes: [inputs.address])
    }

    /// One product of `columns` columns, `sharing` of which in a row have the same input.
    private func multiply(
        _ x: VulkanActivations, _ inputs: DeviceBuffer, columns: Int, sharing: Int, _ projection: Projection,
        experts: UInt64?
    ) throws(InferenceError) {
        let weight = projection.weight
        let planes = planes(weight)
        let output = activations(projection.output)
        let tile = ProductTile(columns: experts == nil ? columns : 1, rows: weight.rows, on: tiling)
        let choices: [UInt32] = [
            UInt32(tile.rows), UInt32(tile.columns), experts == nil ? 0 : 1, projection.bias == nil ? 0 : 1,
        ]
        let bias = projection.bias.map(address) ?? 0
        let operands: PushConstants, shader: Shader, source: UInt64
        if let layout = planes.layout {
            source = inputs.address
            shader = Shader(SI_SHADER_multiply_quantized, layout.constants + choices)
            operands = PushConstants(
                [
                    planes.low, planes.high, planes.scales, planes.factors, source, output.address, bias, experts ?? 0,
                ], [planes.pieces, weight.rows, columns, output.stride, sharing])
        } else {
            source = x.address
            shader = Shader(
                SI_SHADER_multiply_float, [UInt32(planes.element)] + [UInt32](repeating: 0, count: 7) + choices)
            operands = PushConstants(
                [planes.low, source, output.address, bias, experts ?? 0],
                [planes.pieces, weight.rows, columns, x.stride, output.stride, sharing])
        }
        let groups = tile.groups(rows: weight.rows, columns: columns)
        try queue.dispatch(
            shader, operands, groups: groups, reads: experts.map { [source, $0] } ?? [source],
            writes: [output.address])
    }
}

/// How many rows and columns a workgroup of a product takes; that changes no sum.
struct ProductTile {
    /// Slices of a workgroup, each with rows of its own: as in `lanes.glsl`.
    private static let slices = 4
    /// The least number of workgroups in a dimension that every device allows, and more than enough.
    private static let widestGroups = 32_768

    /// Rows of a slice.
    let rows: Int
    let columns: Int

    /// The tile for a product of that size.
    init(columns: Int, rows: Int, on device: DeviceTiling) {
        self.columns = columns <= 2 ? columns : columns <= 4 ? 4 : 8
        // More rows share the inputs that a thread has loaded; fewer leave more workgroups.
        let wanted =
            if device.isSoftware { 4 } else if columns == 1 { rows < 16_384 ? 1 : 2 } else {
                columns > 4 && rows >= 4096 ? 4 : 2
            }
        // As `sums` in the shaders: 33 floats for each sum of a workgroup.
        let rowBytes = 4 * 33 * Self.slices * self.columns
        self.rows = max(1, min(wanted, device.sharedBytes / rowBytes))
    }

    /// The workgroups of a product.
    func groups(rows: Int, columns: Int) -> (x: Int, y: Int, z: Int) {
        let tiles = (rows + Self.slices * self.rows - 1) / (Self.slices * self.rows)
        let width = min(tiles, Self.widestGroups)
        return (width, (tiles + width - 1) / width, (columns + self.columns - 1) / self.columns)
    }
}
