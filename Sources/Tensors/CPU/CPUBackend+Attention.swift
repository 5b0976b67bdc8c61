// The key–value cache and attention on the CPU.

import InferGGUF
package import InferSupport
import Synchronization

extension CPUBackend {
    package func store(keys: Activations, values: Activations, _ segments: [AttentionSegment], layer: Int) {
        let rows = segments.reduce(0) { $0 + $1.layout.count }
        forEachRange(rows, cost: keys.columns + values.columns) { range in
            for segment in segments {
                let cache = unsafeDowncast(segment.cache, to: CPUKeyValueCache.self)
                for row in segment.rows.clamped(to: range) {
                    let slot = segment.layout.committed + row - segment.firstRow
                    store(keys.row(row), values.row(row), in: cache, layer: layer, slot: slot)
                }
            }
        }
    }

    private func store(
        _ keys: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>, in cache: CPUKeyValueCache,
        layer: Int, slot: Int
    ) {
        let shape = cache.shape
        for head in 0..<shape.heads {
            kernels.storeKey(
                shape.keyDimension, keys + head * shape.keyDimension, as: shape.type,
                into: cache.keyPanel(layer: layer, head: head, slot: slot), lane: slot % KeyPanel.keys)
            kernels.store(
                shape.valueDimension, values + head * shape.valueDimension, as: shape.type,
                into: cache.value(layer: layer, head: head, slot: slot))
        }
    }

    package func moveSlots(_ moves: [(from: Int, to: Int)], in cache: KVCache) {
        let cache = unsafeDowncast(cache, to: CPUKeyValueCache.self)
        for layer in 0..<cache.shape.layers {
            for head in 0..<cache.shape.heads {
                for (from, to) in moves where from != to { cache.copy(layer: layer, head: head, from: from, to: to) }
            }
        }
    }

    package func copySlots(_ count: Int, from source: KVCache, to target: KVCache) {
        let source = unsafeDowncast(source, to: CPUKeyValueCache.self)
        let target = unsafeDowncast(target, to: CPUKeyValueCache.self)
        let heads = source.shape.heads
        pool.run(source.shape.layers * heads) { index, _ in
            target.copy(layer: index / heads, head: index % heads, slots: count, from: source)
        }
    }

    package func write(_ cache: KVCache, to sink: ByteSink) throws(InferenceError) {
        for memory in unsafeDowncast(cache, to: CPUKeyValueCache.self).memories { try memory.write(to: sink) }
    }

    package func read(_ cache: KVCache, from source: inout ByteSource) throws(InferenceError) {
        for memory in unsafeDowncast(cache, to: CPUKeyValueCache.self).memories { try memory.read(from: &source) }
    }

    package func attend(
        _ queries: Activations, _ segments: [AttentionSegment], layer: Int, _ parameters: AttentionParameters,
        into y: Activations
    ) {
        let steps = segments.map {
            AttentionStep(
                queries: queries, outputs: y, firstRow: $0.firstRow, layout: $0.layout,
                cache: unsafeDowncast($0.cache, to: CPUKeyValueCache.self), layer: layer, parameters: parameters,
                kernels: kernels)
        }
        let tiling = AttentionTiling(steps)
        scratch.withLock { scratch in
            let memory = scratch.attention
            if tiling.work < Self.leastSharedWork || threads == 1 {
                for index in 0..<tiling.count { tiling.item(index, memory[0]).attend() }
            } else if tiling.count >= memory.count || tiling.idle(threads) < Self.leastSharedParts {
                pool.run(tiling.count) { index, thread in tiling.item(index, memory[thread]).attend() }
            } else {
                attendTogether((0..<tiling.count).map { tiling.item($0, memory[$0]) })
            }
        }
    }

    /// Multiplications below which waking a thread costs more than it saves.
    private static let leastSharedWork = 1 << 17
    /// Multiplications lost to idle threads that are worth two more regions.
    private static let leastSharedParts = 1 << 19
    /// Items that may be in work at once, per thread; more even the threads out by themselves.
    static let itemsPerThread = 4

    /// Computes few items, all threads at each stage: scores by panels, softmax by queries, sums by dimensions.
    private func attendTogether(_ items: [AttentionItem]) {
        for item in items { item.loadQueries() }
        let panels = items.reduce(0) { max($0, $1.panels) }
        let share = max(8, (panels * items.count + threads * 4 - 1) / (threads * 4))
        let shares = (panels + share - 1) / share
        pool.run(items.count * shares) { chunk, _ in
            let (index, part) = chunk.quotientAndRemainder(dividingBy: shares)
            let item = items[index]
            let first = min(part * share, item.panels)
            item.score(panels: first..<min(first + share, item.panels))
        }
        let queries = items.reduce(0) { max($0, $1.count) }
        let part = (queries * items.count + threads * 4 - 1) / (threads * 4)
        let parts = (queries + part - 1) / part
        pool.run(items.count * parts) { chunk, _ in
            let (index, number) = chunk.quotientAndRemainder(dividingBy: parts)
            let first = min(number * part, items[index].count)
            items[index].normalise(queries: first..<min(first + part, items[index].count))
        }
        // As many whole items as share out evenly; the others are cut at cache lines of values.
        let dimension = items.first?.step.cache.shape.valueDimension ?? 0
        let whole = items.count / threads * threads
        let slice = 32
        let slices = (dimension + slice - 1) / slice
        pool.run(whole + (items.count - whole) * slices) { chunk, _ in
            if chunk < whole {
                items[chunk].accumulate(dimensions: 0..<dimension)
            } else {
                let (index, part) = (chunk - whole).quotientAndRemainder(dividingBy: slices)
                let first = part * slice
                items[whole + index].accumulate(dimensions: first..<min(first + slice, dimension))
            }
        }
    }
}
