// The key–value cache and attention on the device.

import CInferVulkanKernels
import InferSupport
package import InferTensors
import Synchronization

extension VulkanBackend {
    package func store(keys: Activations, values: Activations, _ segments: [AttentionSegment], layer: Int) {
        for segment in segments {
            perform(
                .storing(
                    Storing(
                        DeviceRows(activations(keys)), DeviceRows(activations(values)), segment.rows,
                        in: unsafeDowncast(segment.cache, to: VulkanKeyValueCache.self), layer: layer,
                        firstSlot: segment.layout.committed)))
        }
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
        _ queries: Activations, _ segments: [AttentionSegment], layer: Int, _ parameters: AttentionParameters,
        into y: Activations
    ) {
        for segment in segments { attend(queries, segment, layer: layer, parameters, into: y) }
    }

    private func attend(
        _ queries: Activations, _ segment: AttentionSegment, layer: Int, _ parameters: AttentionParameters,
        into y: Activations
    ) {
        let layout = segment.layout
        let visible = (0..<layout.count).reduce(0) { most, row in
            max(most, min(layout.position(of: row) + 1, parameters.window ?? .max))
        }
        let shape = unsafeDowncast(segment.cache, to: VulkanKeyValueCache.self).shape
        let work = AttentionWork(
            rows: layout.count, heads: parameters.heads, visible: visible, valueDimension: shape.valueDimension)
        var failure: InferenceError?
        var memory: DeviceBuffer?
        scratch.withLock { scratch in
            do throws(InferenceError) {
                memory = try scratch.reserveAttention(work, on: queue)
            } catch {
                failure = error
            }
        }
        perform { () throws(InferenceError) in
            if let failure { throw failure }
            guard let memory else { return }
            let step = AttentionStep(
                queries: activations(queries), outputs: activations(y), firstRow: segment.firstRow, layout: layout,
                uploaded: try upload(layout), cache: unsafeDowncast(segment.cache, to: VulkanKeyValueCache.self),
                layer: layer,
                parameters: parameters, scores: memory, tiling: tiling, visible: visible)
            for first in stride(from: 0, to: layout.count, by: work.rowsAtOnce) {
                try step.attend(first..<min(first + work.rowsAtOnce, layout.count), on: queue)
            }
        }
    }

    private func upload(_ layout: StepLayout) throws(InferenceError) -> UploadedLayout {
        let frame = queue.frameNumber
        let earlier = uploadedLayouts.withLock { $0.last { $0.serves(layout, frame: frame) } }
        if let earlier { return earlier }
        let fresh = try UploadedLayout(layout, on: queue)
        uploadedLayouts.withLock { layouts in
            layouts.removeAll { $0.frame != frame }
            layouts.append(fresh)
        }
        return fresh
    }
}
