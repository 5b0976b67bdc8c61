// The key–value cache and attention on the CPU.

import InferGGUF
import Synchronization

extension CPUBackend {
    package func store(
        keys: Activations, values: Activations, rows: Int, in cache: KVCache, layer: Int, firstSlot: Int
    ) {
        let cache = unsafeDowncast(cache, to: CPUKeyValueCache.self)
        let shape = cache.shape
        forEachRange(rows, cost: keys.columns + values.columns) { range in
            for row in range {
                let slot = firstSlot + row
                for head in 0..<shape.heads {
                    kernels.storeKey(
                        shape.keyDimension, keys.row(row) + head * shape.keyDimension, as: shape.type,
                        into: cache.keyPanel(layer: layer, head: head, slot: slot), lane: slot % KeyPanel.keys)
                    kernels.store(
                        shape.valueDimension, values.row(row) + head * shape.valueDimension, as: shape.type,
                        into: cache.value(layer: layer, head: head, slot: slot))
                }
            }
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

    package func attend(
        _ queries: Activations, _ layout: StepLayout, _ cache: KVCache, layer: Int, _ parameters: AttentionParameters,
        into y: Activations
    ) {
        let step = AttentionStep(
            queries: queries, outputs: y, layout: layout, cache: unsafeDowncast(cache, to: CPUKeyValueCache.self),
            layer: layer, parameters: parameters, kernels: kernels)
        let tiling = AttentionTiling(rows: layout.count, parameters)
        scratch.withLock { scratch in
            let memory = scratch.attention
            let shape = step.cache.shape
            func item(_ index: Int, _ memory: AlignedMemory) -> AttentionItem {
                let (rows, heads, keyValueHead) = tiling[index]
                return step.item(
                    rows: rows, heads: heads, keyValueHead: keyValueHead, AttentionScratch(memory, shape))
            }
            let work = tiling.work(after: layout.committed, parameters, shape)
            if work < Self.leastSharedWork || threads == 1 {
                for index in 0..<tiling.count { step.attend(item(index, memory[0])) }
            } else if tiling.count >= memory.count || tiling.idle(threads, of: work) < Self.leastSharedParts {
                pool.run(tiling.count) { index, thread in step.attend(item(index, memory[thread])) }
            } else {
                attendTogether(step, (0..<tiling.count).map { item($0, memory[$0]) })
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
    private func attendTogether(_ step: AttentionStep, _ items: [AttentionItem]) {
        for item in items { step.loadQueries(item) }
        let panels = items.reduce(0) { max($0, $1.panels) }
        let share = max(8, (panels * items.count + threads * 4 - 1) / (threads * 4))
        let shares = (panels + share - 1) / share
        pool.run(items.count * shares) { chunk, _ in
            let (index, part) = chunk.quotientAndRemainder(dividingBy: shares)
            let item = items[index]
            let first = min(part * share, item.panels)
            step.score(item, panels: first..<min(first + share, item.panels))
        }
        let queries = items.reduce(0) { max($0, $1.count) }
        let part = (queries * items.count + threads * 4 - 1) / (threads * 4)
        let parts = (queries + part - 1) / part
        pool.run(items.count * parts) { chunk, _ in
            let (index, number) = chunk.quotientAndRemainder(dividingBy: parts)
            let first = min(number * part, items[index].count)
            step.normalise(items[index], queries: first..<min(first + part, items[index].count))
        }
        // As many whole items as share out evenly; the others are cut at cache lines of values.
        let dimension = step.cache.shape.valueDimension
        let whole = items.count / threads * threads
        let slice = 32
        let slices = (dimension + slice - 1) / slice
        pool.run(whole + (items.count - whole) * slices) { chunk, _ in
            if chunk < whole {
                step.accumulate(items[chunk], dimensions: 0..<dimension)
            } else {
                let (index, part) = (chunk - whole).quotientAndRemainder(dividingBy: slices)
                let first = part * slice
                step.accumulate(items[whole + index], dimensions: first..<min(first + slice, dimension))
            }
        }
    }
}
