// Products of activations with weight matrices on the device.

package import InferTensors
import Synchronization

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
        // Held until the operation is known to the queue: whoever needs more room replaces the buffer.
        let inputs = scratch.withLock { $0.inputs }
        withExtendedLifetime(inputs) {
            perform(
                .products(
                    Products(
                        DeviceRows(source), rows: rows, columns: columns, projections.map { Product($0, on: tiling) },
                        experts: experts, roundedTo: inputs.address)))
        }
    }
}
