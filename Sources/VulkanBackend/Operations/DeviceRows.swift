// Rows of activations as commands know them.

import InferTensors

/// Where rows of floats lie, and their form.
struct DeviceRows {
    let address: UInt64
    let columns: Int
    /// Floats from row to row.
    let stride: Int

    init(_ x: VulkanActivations) {
        address = x.address
        columns = x.columns
        stride = x.stride
    }

    /// Where row `row` begins.
    func address(ofRow row: Int) -> UInt64 { address + UInt64(4 * row * stride) }
}
