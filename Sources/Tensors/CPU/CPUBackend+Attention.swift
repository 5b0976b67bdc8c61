// The key–value cache and attention on the CPU.

import GGUF
import Synchronization

extension CPUBackend {
    package func store(
        keys: Activations, values: Activations, rows: Int, in cache: KVCache, layer: Int, firstSlot: Int
    ) {
        let cache = unsafeDowncast(cache, to: CPUKeyValueCache.self)
        let shape = cache.shape
        forEachRange(rows, cost: keys.columns + values.columns) { range in
            for row in range {
                for head in 0..<shape.heads {
                    kernels.store(
                        shape.keyDimension, keys.row(row) + head * shape.keyDimension, as: shape.type,
                        into: cache.key(layer: layer, head: head, slot: firstSlot + row))
                    kernels.store(
                        shape.valueDimension, values.row(row) + head * shape.valueDimension, as: shape.type,
                        into: cache.value(layer: layer, head: head, slot: firstSlot + row))
                }
            }
        }
    }

    package func moveSlots(_ moves: [(from: Int, to: Int)], in cache: KVCache) {
        let cache = unsafeDowncast(cache, to: CPUKeyValueCache.self)
        for layer in 0..<cache.shape.layers {
            for head in 0..<cache.shape.heads {
                for (from, to) in moves where from != to {
                    cache.key(layer: layer, head: head, slot: to)
                        .copyMemory(from: cache.key(layer: layer, head: head, slot: from), byteCount: cache.keyBytes)
                    cache.value(layer: layer, head: head, slot: to)
                        .copyMemory(
                            from: cache.value(layer: layer, head: head, slot: from), byteCount: cache.valueBytes)
                }
            }
        }
    }

    package func attend(
        _ queries: Activations, _ layout: StepLayout, _ cache: KVCache, layer: Int, _ parameters: AttentionParameters,
        into y: Activations
    ) {
        let cache = unsafeDowncast(cache, to: CPUKeyValueCache.self)
        let type: TensorType =
            switch cache.shape.type {
            case .f32: .f32
            case .f16: .f16
            case .q8_0: .q8_0
            }
        guard let product = kernels.product(type) else { return }
        let step = AttentionStep(
            queries: queries, outputs: y, layout: layout, cache: cache, layer: layer, parameters: parameters,
            kernels: kernels, product: product)
        // Heads that share keys and values go together, and as many rows as fit; fewer heads where threads would idle.
        let group = parameters.heads / parameters.keyValueHeads
        var heads = min(group, AttentionScratch.queries)
        let rows = max(1, AttentionScratch.queries / heads)
        let tiles = (layout.count + rows - 1) / rows
        if tiles * parameters.keyValueHeads < threads * 2 { heads = 1 }
        let headItems = (group + heads - 1) / heads
        scratch.withLock { scratch in
            pool.run(tiles * parameters.keyValueHeads * headItems) { item, thread in
                let (tile, rest) = item.quotientAndRemainder(dividingBy: parameters.keyValueHeads * headItems)
                let (keyValueHead, part) = rest.quotientAndRemainder(dividingBy: headItems)
                let firstHead = keyValueHead * group + part * heads
                step.attend(
                    rows: tile * rows..<min((tile + 1) * rows, layout.count),
                    heads: firstHead..<min(firstHead + heads, (keyValueHead + 1) * group), keyValueHead: keyValueHead,
                    AttentionScratch(scratch.attention[thread], cache.shape))
            }
        }
    }
}
