// Adding rows to others.

import CInferVulkanKernels
import InferSupport

/// x += scale · y, by itself or at the end of the operation that gives y.
struct Addition {
    let y: DeviceRows, x: DeviceRows
    let rows: Int
    let scale: Float

    /// Whether it adds `results` and nothing else, to rows that are none of `operands`.
    func adds(_ results: DeviceRows, rows: Int, besides operands: [UInt64]) -> Bool {
        y.address == results.address && self.rows == rows && x.columns == results.columns
            && x.address != results.address && !operands.contains(x.address)
    }

    func record(on queue: CommandQueue) throws(InferenceError) {
        try queue.dispatch(
            Shader(SI_SHADER_elementwise, [ElementwiseOperation.addScaled.rawValue, 0, 0]),
            PushConstants([y.address, 0, x.address, 0], [y.columns, y.stride, 0, x.stride, 0, 1], [scale]),
            groups: ((y.columns + 127) / 128, rows, 1), reads: [y.address], writes: [x.address])
    }
}
