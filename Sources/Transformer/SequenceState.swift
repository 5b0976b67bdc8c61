// What a model keeps of one sequence of tokens: one memory per layer, or per group of layers of the same shape.

package import InferSupport
import InferTensors

/// What some layers of a model keep of a sequence.
///
/// Layers of one kind and shape on one backend share a memory, so that a device moves or drops rows of all of them with one
/// command. Each kind of mixer stores a step's rows in its own way, during the forward pass; what all kinds have in common is here.
protocol LayerMemory: AnyObject {
    /// Makes the rows `path` of the last step's `layout` part of the past, each the parent of the next, and drops its other rows.
    func keep(path: [Int], of layout: SegmentLayout)

    /// Forgets what belongs to positions from `position` on.
    func forget(from position: Int)

    /// The longest prefix of at most `length` tokens whose memory is complete, so that a step can go on behind it.
    func reusablePrefix(of length: Int) -> Int

    /// Memory it takes.
    var byteCount: Int { get }
}

/// The keys and values of attention layers: any prefix of them can be reused, because each token has a slot of its own.
final class KeyValueMemory: LayerMemory {
    private let backend: any Backend
    let cache: KVCache

    /// - Throws: `outOfMemory`, or `invalidArgument` for a type that heads of that length cannot be stored in.
    init(_ shape: KVCacheShape, on backend: any Backend) throws(InferenceError) {
        try shape.requireWholeBlocks()
        self.backend = backend
        cache = try backend.makeCache(shape)
    }

    func keep(path: [Int], of layout: SegmentLayout) {
        let moves = path.enumerated().filter { $0.offset != $0.element }
            .map { (from: layout.committed + $0.element, to: layout.committed + $0.offset) }
        if !moves.isEmpty { backend.moveSlots(moves, in: cache) }
    }

    // Later steps overwrite the slots.
    func forget(from position: Int) {}

    func reusablePrefix(of length: Int) -> Int { length }

    var byteCount: Int { cache.shape.byteCount }
}

/// Layers of one kind and shape on one backend, whose memory is one.
struct MemoryGroup: Sendable {
    let backend: any Backend
    /// The mixer of all of them.
    let mixer: LayerPlan.Mixer
    private(set) var layerCount: Int

    /// The groups of a model's layers, and for each layer its group and its index in that.
    static func all(
        _ layers: [LayerPlan], _ stages: [Stage]
    ) -> (groups: [MemoryGroup], places: [(group: Int, index: Int)]) {
        var groups: [MemoryGroup] = []
        var places: [(group: Int, index: Int)] = []
        for stage in stages {
            let first = groups.count
            for layer in layers[stage.blocks] {
                let known = groups[first...].firstIndex { $0.hasShape(of: layer.mixer) }
                let group = known ?? groups.count
                if known == nil {
                    groups.append(MemoryGroup(backend: stage.backend, mixer: layer.mixer, layerCount: 0))
                }
                places.append((group, groups[group].layerCount))
                groups[group].layerCount += 1
            }
        }
        return (groups, places)
    }

    private func hasShape(of other: LayerPlan.Mixer) -> Bool {
        switch (mixer, other) {
        case (.attention(let a), .attention(let b)):
            (a.keyValueHeads, a.keyLength, a.valueLength) == (b.keyValueHeads, b.keyLength, b.valueLength)
        }
    }

    /// The shape of a cache for `slots` tokens.
    func cacheShape(slots: Int, type: KVCacheType) -> KVCacheShape {
        switch mixer {
        case .attention(let plan): plan.cacheShape(layers: layerCount, slots: slots, type: type)
        }
    }

    /// An empty memory for `slots` tokens.
    func makeMemory(slots: Int, type: KVCacheType) throws(InferenceError) -> any LayerMemory {
        try KeyValueMemory(cacheShape(slots: slots, type: type), on: backend)
    }
}

/// The mutable half of inference: what a model's layers keep of one sequence of tokens.
///
/// Not thread-safe; whoever makes it owns it.
package final class SequenceState {
    /// The model whose layers it belongs to.
    package let model: TransformerModel
    /// Most tokens that it can hold, those of the running step included.
    package let capacity: Int
    /// Tokens that have gone through the model and count: the past of the next step.
    package private(set) var count = 0

    /// One per ``TransformerModel/memoryGroups``.
    let memories: [any LayerMemory]
    /// Position encoding of layers without a window, and of those with one where it differs. LongRoPE's depends on ``capacity``.
    let rotary: RotaryEmbedding?, localRotary: RotaryEmbedding?
    /// The last step, while its rows may still be kept.
    private var pending: SegmentLayout?

    init(_ model: TransformerModel, capacity: Int, cacheType: KVCacheType) throws(InferenceError) {
        guard capacity > 0 else {
            throw InferenceError(.invalidArgument, "a sequence needs room for at least one token")
        }
        self.model = model
        self.capacity = capacity
        memories = try model.memoryGroups.map { group throws(InferenceError) in
            try group.makeMemory(slots: capacity, type: cacheType)
        }
        rotary = model.rotaryEmbedding(windowed: false, capacity: capacity)
        localRotary = model.rotaryEmbedding(windowed: true, capacity: capacity)
    }

    /// Makes the path `rows` of the last draft step part of the past and drops its other rows. `rows` lead from a row without parent
    /// downwards, each the parent of the next; an empty path drops the whole step.
    ///
    /// - Throws: `invalidArgument` when there is no such step or `rows` are not a path of it.
    package func keep(rows: [Int]) throws(InferenceError) {
        guard let layout = pending else {
            throw InferenceError(.invalidArgument, "there is no step to keep rows of")
        }
        if let last = rows.last {
            guard (0..<layout.count).contains(last), layout.path(to: last) == rows else {
                throw InferenceError(.invalidArgument, "rows \(rows) are not a path of the step's tree")
            }
        }
        for memory in memories { memory.keep(path: rows, of: layout) }
        count += rows.count
        pending = nil
    }

    /// The longest prefix of at most `length` tokens that all layers can go on from: the largest position that
    /// ``forget(from:)`` takes.
    package func reusablePrefix(of length: Int) -> Int {
        var prefix = min(length, count)
        // A layer that can only go back further decides for all.
        while let shorter = memories.lazy.map({ $0.reusablePrefix(of: prefix) }).first(where: { $0 < prefix }) {
            prefix = shorter
        }
        return prefix
    }

    /// Forgets all tokens from position `position` on.
    ///
    /// - Throws: `invalidArgument` for a position that there is no memory of, see ``reusablePrefix(of:)``.
    package func forget(from position: Int) throws(InferenceError) {
        guard (0...count).contains(position), reusablePrefix(of: position) == position else {
            throw InferenceError(.invalidArgument, "cannot go back to position \(position): there are \(count) tokens")
        }
        for memory in memories { memory.forget(from: position) }
        count = position
        pending = nil
    }

    /// Memory that it takes, in bytes.
    package var byteCount: Int { memories.reduce(0) { $0 + $1.byteCount } }

    /// A step has begun: what the last one left can no longer be kept.
    func beginStep() { pending = nil }

    /// A step has gone through all layers. Its rows are part of the past, or may be kept by ``keep(rows:)`` if it was a draft.
    func endStep(_ layout: SegmentLayout, isDraft: Bool) {
        if isDraft {
            pending = layout
        } else {
            for memory in memories { memory.keep(path: Array(0..<layout.count), of: layout) }
            count += layout.count
        }
    }
}
