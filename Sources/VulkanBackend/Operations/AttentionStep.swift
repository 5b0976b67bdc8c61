// One layer's attention over one step's rows, as it is recorded.

import CInferVulkanKernels
import InferSupport
import InferTensors

/// One layer's attention in one step.
struct AttentionStep {
    let queries: VulkanActivations, outputs: VulkanActivations
    /// The segment's first row in ``queries`` and ``outputs``.
    let firstRow: Int
    let layout: StepLayout
    let uploaded: UploadedLayout
    let cache: VulkanKeyValueCache
    let layer: Int
    let parameters: AttentionParameters
    /// Scores, and what their chunks leave behind.
    let scores: DeviceBuffer
    let tiling: DeviceTiling
    /// Most tokens that a row sees.
    let visible: Int

    /// Scores, softmax and sums of values of some rows.
    func attend(_ rows: Range<Int>, on queue: CommandQueue) throws(InferenceError) {
        let committed = layout.committed
        let positions = rows.map(layout.position)
        let begin = positions.reduce(.max) { min($0, window > 0 ? max(0, $1 + 1 - window) : 0) }
        let end = (positions.max() ?? 0) + 1
        if layout.isChain {
            try score(rows, begin..<end, isTree: false, writes: [scores.address], on: queue)
        } else {
            let before = min(begin, committed)..<committed
            try score(rows, before, isTree: false, writes: [scores.address], on: queue)
            // These lie beside the others.
            try score(
                rows, committed..<end, isTree: true, writes: before.isEmpty ? [scores.address] : [], on: queue)
        }
        try sum(rows, on: queue)
        if visible > AttentionWork.chunk { try combine(rows, on: queue) }
    }

    /// Softmax and sums of values over each chunk.
    private func sum(_ rows: Range<Int>, on queue: CommandQueue) throws(InferenceError) {
        let (shape, values, shared) = (cache.shape, cache.values[layer], sharing(rows))
        let chunks = AttentionWork.chunks(visible), queryGroups = (rows.count * headsPerKey + shared - 1) / shared
        // Workgroups that share a chunk's columns take its softmax twice; that is worth it where there are few.
        let groups = chunks * shape.heads * queryGroups, enough = tiling.isSoftware ? 8 : 512
        let columnGroups = min((cache.values.row.padded + 31) / 32, (enough + groups - 1) / groups)
        try queue.dispatch(
            Shader(SI_SHADER_attend_values, [cache.element, UInt32(shared)]),
            PushConstants(
                [scores.address, values.address, values.scaleAddress, outputAddress, sinks] + places,
                [
                    shape.valueDimension, outputs.stride, visible, parameters.heads, headsPerKey, shape.slots,
                    layout.committed, window, rows.lowerBound, rows.count, columnGroups, layout.isChain ? 0 : 1,
                    parameters.sinks == nil ? 0 : 1,
                ], [parameters.scale, parameters.softCap ?? 0]),
            groups: (chunks * columnGroups, shape.heads, queryGroups),
            reads: [scores.address, values.buffer],
            writes: visible > AttentionWork.chunk ? [scores.address, outputs.address] : [outputs.address])
    }

    /// Adds the chunks of rows that have several.
    private func combine(_ rows: Range<Int>, on queue: CommandQueue) throws(InferenceError) {
        let dimension = cache.shape.valueDimension
        try queue.dispatch(
            Shader(SI_SHADER_attend_combine),
            PushConstants(
                [scores.address, outputAddress, sinks, uploaded.depths],
                [
                    dimension, outputs.stride, visible, parameters.heads, layout.committed, window, rows.lowerBound,
                    rows.count, parameters.sinks == nil ? 0 : 1,
                ]),
            groups: ((dimension + 63) / 64, parameters.heads, rows.count), reads: [scores.address],
            writes: [outputs.address])
    }

    private var queryAddress: UInt64 { queries.address(ofRow: firstRow) }
    private var outputAddress: UInt64 { outputs.address(ofRow: firstRow) }
    private var window: Int { parameters.window ?? 0 }
    private var sinks: UInt64 { parameters.sinks.map(address) ?? 0 }
    private var headsPerKey: Int { parameters.heads / parameters.keyValueHeads }
    private var places: [UInt64] { [uploaded.depths, uploaded.pathStarts, uploaded.paths] }

    /// How many queries share the keys and values that a workgroup reads: with few rows there are too few workgroups already.
    private func sharing(_ rows: Range<Int>) -> Int {
        guard tiling.isSoftware || rows.count >= 8 else { return 1 }
        let queries = rows.count * headsPerKey
        return min(queries > 2 ? 4 : queries, AttentionWork.queries(sharing: tiling.sharedBytes))
    }

    /// Scores over some tokens: those that all rows find in the same slots, or those of a tree.
    private func score(
        _ rows: Range<Int>, _ tokens: Range<Int>, isTree: Bool, writes: [UInt64], on queue: CommandQueue
    ) throws(InferenceError) {
        let (shape, keys) = (cache.shape, cache.keys[layer])
        let shared = isTree ? 1 : sharing(rows), keysOfThread = shared < 4 ? 1 : 4
        try queue.dispatch(
            Shader(
                SI_SHADER_attend_scores,
                [
                    cache.element, UInt32(shape.keyDimension), UInt32(shared), UInt32(keysOfThread), isTree ? 1 : 0,
                ]),
            PushConstants(
                [queryAddress, keys.address, keys.scaleAddress, scores.address] + places,
                [
                    queries.stride, visible, parameters.heads, headsPerKey, shape.slots, layout.committed,
                    window, rows.lowerBound, rows.count, tokens.lowerBound, tokens.upperBound,
                ]),
            groups: (
                (tokens.count + 64 * keysOfThread - 1) / (64 * keysOfThread), shape.heads,
                (rows.count * headsPerKey + shared - 1) / shared
            ),
            reads: [queries.address, keys.buffer], writes: writes)
    }
}
