// The key–value cache and attention on the device.

import CVulkanKernels
import GGUF
import Synchronization
package import Tensors

extension VulkanBackend {
    package func store(
        keys: Activations, values: Activations, rows: Int, in cache: KVCache, layer: Int, firstSlot: Int
    ) {
        let storing = Storing(
            DeviceRows(activations(keys)), DeviceRows(activations(values)), rows: rows,
            in: unsafeDowncast(cache, to: VulkanKeyValueCache.self), layer: layer, firstSlot: firstSlot)
        perform(.storing(storing))
    }

    package func moveSlots(_ moves: [(from: Int, to: Int)], in cache: KVCache) {
        let cache = unsafeDowncast(cache, to: VulkanKeyValueCache.self)
        let pairs = moves.filter { $0.from != $0.to }.flatMap {
            [Int32(truncatingIfNeeded: $0.from), Int32(truncatingIfNeeded: $0.to)]
        }
        guard !pairs.isEmpty else { return }
        let shape = cache.shape
        perform { () throws(InferenceError) in
            let list = try queue.upload(pairs)
            for half in [cache.keys, cache.values] {
                for (layer, count) in half.runs {
                    for (address, bytes) in [
                        (layer.address, half.row.byteCount), (layer.scaleAddress, half.row.scaleByteCount),
                    ] {
                        // In units of 16 bits.
                        try queue.dispatch(
                            Shader(SI_SHADER_move_slots),
                            PushConstants([address, list], [pairs.count / 2, shape.slots, bytes / 2]),
                            groups: ((bytes / 2 + 63) / 64, count * shape.heads, 1), reads: [], writes: [layer.buffer])
                    }
                }
            }
        }
    }

    package func attend(
        _ queries: Activations, _ layout: StepLayout, _ cache: KVCache, layer: Int, _ parameters: AttentionParameters,
        into y: Activations
    ) {
        let visible = (0..<layout.count).reduce(0) { most, row in
            max(most, min(layout.position(of: row) + 1, parameters.window ?? .max))
        }
        let rowsAtOnce = Self.rowsAtOnce(of: layout.count, heads: parameters.heads, visible: visible)
        var failure: InferenceError?
        var memory: VulkanScratch?
        scratch.withLock { scratch in
            do throws(InferenceError) {
                try scratch.reserveScores(rowsAtOnce * parameters.heads, stride: visible, on: queue)
                memory = scratch
            } catch {
                failure = error
            }
        }
        perform { () throws(InferenceError) in
            if let failure { throw failure }
            guard let memory else { return }
            let step = AttentionStep(
                queries: activations(queries), outputs: activations(y), layout: layout,
                uploaded: try upload(layout), cache: unsafeDowncast(cache, to: VulkanKeyValueCache.self), layer: layer,
                parameters: parameters, scores: memory.scores, inverses: memory.inverses,
                isSoftware: tiling.isSoftware, visible: visible)
            for first in stride(from: 0, to: layout.count, by: rowsAtOnce) {
                try step.attend(first..<min(first + rowsAtOnce, layout.count), on: queue)
            }
        }
    }

    private func upload(_ layout: StepLayout) throws(InferenceError) -> UploadedLayout {
        let earlier = uploadedLayout.withLock { $0 }
        if let earlier, earlier.serves(layout, frame: queue.frameNumber) { return earlier }
        let fresh = try UploadedLayout(layout, on: queue)
        uploadedLayout.withLock { $0 = fresh }
        return fresh
    }
}

/// One layer's attention in one step.
private struct AttentionStep {
    let queries: VulkanActivations, outputs: VulkanActivations
    let layout: StepLayout
    let uploaded: UploadedLayout
    let cache: VulkanKeyValueCache
    let layer: Int
    let parameters: AttentionParameters
    let scores: DeviceBuffer, inverses: DeviceBuffer
    /// See ``DeviceTiling``.
    let isSoftware: Bool
    /// Most tokens that a row sees.
    let visible: Int

    /// Scores, softmax and sums of some rows.
    func attend(_ rows: Range<Int>, on queue: CommandQueue) throws(InferenceError) {
        let shape = cache.shape
        let (committed, window) = (layout.committed, parameters.window ?? 0)
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
        try queue.dispatch(
            Shader(SI_SHADER_attend_softmax),
            PushConstants(
                [scores.address, inverses.address, parameters.sinks.map(address) ?? 0, uploaded.depths],
                [visible, parameters.heads, committed, window, rows.lowerBound, parameters.sinks == nil ? 0 : 1],
                [parameters.scale, parameters.softCap ?? 0]),
            groups: (parameters.heads, rows.count, 1), reads: [], writes: [scores.address, inverses.address])
        let (values, queries) = (cache.values[layer], sharing(rows))
        try queue.dispatch(
            Shader(SI_SHADER_attend_values, [cache.element, UInt32(queries)]),
            PushConstants(
                [scores.address, inverses.address, values.address, values.scaleAddress, outputs.address] + places,
                [
                    shape.valueDimension, outputs.stride, visible, parameters.heads, headsPerKey, shape.slots,
                    committed,
                    window, rows.lowerBound, rows.count, layout.isChain ? 0 : 1,
                ]),
            groups: (
                (cache.values.row.padded + 31) / 32, shape.heads, (rows.count * headsPerKey + queries - 1) / queries
            ),
            reads: [scores.address, inverses.address, values.buffer], writes: [outputs.address])
    }

    private var headsPerKey: Int { parameters.heads / parameters.keyValueHeads }
    private var places: [UInt64] { [uploaded.depths, uploaded.pathStarts, uploaded.paths] }

    /// How many queries share the keys and values that a workgroup reads: with few rows there are too few workgroups already.
    private func sharing(_ rows: Range<Int>) -> Int {
        guard isSoftware || rows.count >= 8 else { return 1 }
        let queries = rows.count * headsPerKey
        return queries > 2 ? 4 : queries
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
                [queries.address, keys.address, keys.scaleAddress, scores.address] + places,
                [
                    queries.stride, visible, parameters.heads, headsPerKey, shape.slots, layout.committed,
                    parameters.window ?? 0, rows.lowerBound, rows.count, tokens.lowerBound, tokens.upperBound,
                ]),
            groups: (
                (tokens.count + 64 * keysOfThread - 1) / (64 * keysOfThread), shape.heads,
                (rows.count * headsPerKey + shared - 1) / shared
            ),
            reads: [queries.address, keys.buffer], writes: writes)
    }
}
