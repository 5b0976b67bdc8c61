// The recurrent layers of the Vulkan backend: from the operands of `Backend` to operations on device memory.

import InferSupport
package import InferTensors
import Synchronization

extension VulkanBackend {
    package func convolve(
        _ x: Activations, _ segments: [RecurrentSegment], layer: Int, weight: WeightVector, bias: WeightVector?,
        activates: Bool, into y: Activations
    ) {
        for segment in segments {
            let memory = unsafeDowncast(segment.memory, to: VulkanRecurrentMemory.self)
            let layout = segment.layout
            perform { () throws(InferenceError) in
                try queue.record(
                    .convolve(
                        Convolution(
                            x: rows(x).dropFirst(segment.firstRow), y: rows(y).dropFirst(segment.firstRow),
                            layout: layout, paths: try upload(layout), certainRows: segment.certainRows,
                            weight: address(weight), bias: bias.map(address), activates: activates,
                            window: memory.shape.window, current: memory.window(layer: layer),
                            next: memory.window(layer: layer, isNext: true),
                            kept: segment.certainRows < layout.count ? memory.convolutionInputs(layer: layer) : nil)))
            }
        }
    }

    package func scan(
        _ inputs: ScanInputs, _ segments: [RecurrentSegment], layer: Int, _ parameters: ScanParameters,
        into y: Activations
    ) {
        for segment in segments { scan(inputs, segment, layer: layer, parameters, into: y) }
    }

    private func scan(
        _ inputs: ScanInputs, _ segment: RecurrentSegment, layer: Int, _ parameters: ScanParameters,
        into y: Activations
    ) {
        let memory = unsafeDowncast(segment.memory, to: VulkanRecurrentMemory.self)
        let (layout, certainRows) = (segment.layout, segment.certainRows)
        let uncertainRows = layout.count - certainRows
        memory.note(parameters, layer: layer)
        func columns(_ columns: ScanInputs.Columns) -> DeviceRows {
            rows(columns.activations).dropFirst(segment.firstRow).dropColumns(columns.start)
        }
        let (queries, keys, values) = (columns(inputs.queries), columns(inputs.keys), columns(inputs.values))
        let (decays, betas) = (columns(inputs.decays), inputs.betas.map(columns))
        var failure: InferenceError?
        var slots: DeviceBuffer?
        if !layout.isChain {
            scratch.withLock { scratch in
                do throws(InferenceError) {
                    slots = try scratch.reserveStates(memory.shape, rows: uncertainRows, on: queue)
                } catch {
                    failure = error
                }
            }
        }
        perform { () throws(InferenceError) in
            if let failure { throw failure }
            if uncertainRows > 0, let kept = memory.scanInputs(layer: layer) {
                try queue.record(
                    .keepInputs(
                        InputKeeping(
                            keys: keys.dropFirst(certainRows), values: values.dropFirst(certainRows),
                            decays: decays.dropFirst(certainRows), betas: betas?.dropFirst(certainRows),
                            parameters: parameters, rows: uncertainRows, kept: kept)))
            }
            let plan = layout.isChain ? nil : try uploadPlan(layout, certainRows: certainRows)
            try queue.record(
                .scan(
                    Scanning(
                        queries: queries, keys: keys, values: values, decays: decays, betas: betas,
                        outputs: rows(y).dropFirst(segment.firstRow), parameters: parameters,
                        current: memory.states(layer: layer), next: memory.states(layer: layer, isNext: true),
                        certainRows: certainRows, rows: plan == nil ? layout.count : uncertainRows, plan: plan,
                        slots: slots?.address)))
        }
    }

    /// The plan of a tree in memory that the device reads, uploaded once for all layers of a step.
    private func uploadPlan(_ layout: SegmentLayout, certainRows: Int) throws(InferenceError) -> DeviceAddress {
        let frame = queue.frameNumber
        let earlier = uploadedPlans.withLock { plans in
            plans.last { $0.serves(layout, certainRows: certainRows, frame: frame) }
        }
        if let earlier { return earlier.address }
        let fresh = try UploadedScanPlan(layout, certainRows: certainRows, on: queue)
        uploadedPlans.withLock { plans in
            plans.removeAll { $0.frame != frame }
            plans.append(fresh)
        }
        return fresh.address
    }
}

/// The plan of a tree's scans in memory that the device reads.
struct UploadedScanPlan {
    let frame: UInt64
    private let layout: SegmentLayout
    private let certainRows: Int
    let address: DeviceAddress

    init(_ layout: SegmentLayout, certainRows: Int, on queue: CommandQueue) throws(InferenceError) {
        (self.layout, self.certainRows) = (layout, certainRows)
        address = try queue.upload(ScanPlan(layout, certainRows: certainRows).steps)
        frame = queue.frameNumber
    }

    /// Whether a tree is the same and the upload is still valid in frame `frame`.
    func serves(_ other: SegmentLayout, certainRows: Int, frame: UInt64) -> Bool {
        self.frame == frame && self.certainRows == certainRows && layout.paths == other.paths
            && layout.pathStarts == other.pathStarts
    }
}
