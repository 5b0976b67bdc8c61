// What a context has on one backend.

import InferSupport
import InferTensors

/// The blocks computed on one backend, with their part of the cache and the activations there.
final class Site {
    let backend: any Backend
    let blocks: Range<Int>
    /// Keys and values of ``blocks``.
    let cache: KVCache
    let workspace: Workspace

    init(
        _ stage: Stage, of model: TransformerModel, slots: Int, cacheType: KVCacheType, rows: Int
    ) throws(InferenceError) {
        backend = stage.backend
        blocks = stage.blocks
        cache = try backend.makeCache(
            model.cacheShape(layers: blocks.count, slots: slots, type: cacheType))
        workspace = try Workspace(model, on: backend, rows: rows)
    }
}
