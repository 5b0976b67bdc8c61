// What a model keeps of one sequence of tokens: one memory per layer, or per group of layers of the same shape.

package import InferSupport
package import InferTensors

/// What some layers of a model keep of a sequence.
///
/// Layers of one kind and shape on one backend share a memory, so that a device moves or drops rows of all of them with one
/// command. Each kind of mixer stores a step's rows in its own way, during the forward pass; what all kinds have in common is here.
protocol LayerMemory: AnyObject {
    /// Makes ready for a step with `count` rows that may be dropped.
    func beginStep(uncertainRows count: Int) throws(InferenceError)

    /// A step has gone through all layers. Its first `certainRows` rows belong to the past.
    func endStep(_ layout: SegmentLayout, certainRows: Int)

    /// Makes the rows `path` of the last step's `layout` part of the past, each the parent of the next, and drops its other rows.
    /// The path begins with the step's `certainRows` certain rows.
    func keep(path: [Int], of layout: SegmentLayout, certainRows: Int)

    /// Forgets what belongs to positions from `position` on.
    func forget(from position: Int)

    /// The longest prefix of at most `length` tokens whose memory is complete, so that a step can go on behind it.
    func reusablePrefix(of length: Int) -> Int

    /// Copies the memory of the first `count` tokens, a position that ``reusablePrefix(of:)`` returns.
    func snapshot(of count: Int) throws(InferenceError) -> any LayerSnapshot

    /// Replaces everything by the first `count` tokens of `snapshot`, which a memory of the same group made.
    func restore(_ snapshot: any LayerSnapshot, count: Int)

    /// Reads a snapshot of `count` tokens, at most as many as the memory has room for, that a memory of the same group wrote.
    func readSnapshot(of count: Int, from source: inout ByteSource) throws(InferenceError) -> any LayerSnapshot

    /// Memory it takes.
    var byteCount: Int { get }
}

/// A copy of a ``LayerMemory``'s first tokens.
protocol LayerSnapshot: AnyObject, Sendable {
    /// The longest prefix of at most `length` tokens that can be restored.
    func reusablePrefix(of length: Int) -> Int

    /// Writes it in the form that ``LayerMemory/readSnapshot(of:from:)`` takes.
    func write(to sink: ByteSink) throws(InferenceError)

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

    func beginStep(uncertainRows count: Int) {}

    // Certain rows are a chain, whose slots are its positions.
    func endStep(_ layout: SegmentLayout, certainRows: Int) {}

    func keep(path: [Int], of layout: SegmentLayout, certainRows: Int) {
        let moves = path.enumerated().filter { $0.offset != $0.element }
            .map { (from: layout.committed + $0.element, to: layout.committed + $0.offset) }
        if !moves.isEmpty { backend.moveSlots(moves, in: cache) }
    }

    // Later steps overwrite the slots.
    func forget(from position: Int) {}

    func reusablePrefix(of length: Int) -> Int { length }

    private final class Snapshot: LayerSnapshot {
        let cache: KVCache
        private let backend: any Backend
        init(_ cache: KVCache, on backend: any Backend) { (self.cache, self.backend) = (cache, backend) }
        func reusablePrefix(of length: Int) -> Int { length }
        func write(to sink: ByteSink) throws(InferenceError) { try backend.write(cache, to: sink) }
        var byteCount: Int { cache.shape.byteCount }
    }

    /// A cache of the same layers for `count` tokens.
    private func makeCopy(slots count: Int) throws(InferenceError) -> KVCache {
        var shape = cache.shape
        shape.slots = max(1, count)
        return try backend.makeCache(shape)
    }

    func snapshot(of count: Int) throws(InferenceError) -> any LayerSnapshot {
        let copy = try makeCopy(slots: count)
        backend.copySlots(count, from: cache, to: copy)
        return Snapshot(copy, on: backend)
    }

    func readSnapshot(of count: Int, from source: inout ByteSource) throws(InferenceError) -> any LayerSnapshot {
        let copy = try makeCopy(slots: count)
        try backend.read(copy, from: &source)
        return Snapshot(copy, on: backend)
    }

    func restore(_ snapshot: any LayerSnapshot, count: Int) {
        guard count > 0 else { return }
        backend.copySlots(count, from: unsafeDowncast(snapshot, to: Snapshot.self).cache, to: cache)
    }

    var byteCount: Int { cache.shape.byteCount }
}

/// The states of recurrent layers. They are known after the last token, and where a copy was kept: going back elsewhere takes
/// computing the tokens from the copy before it again.
final class RecurrentStateMemory: LayerMemory {
    /// Bytes of copies; two are kept in any case.
    private static let checkpointBudget = 256 << 20
    /// Tokens between copies, while the sequence grows.
    private static let checkpointSpacing = 256

    let state: any RecurrentMemory
    /// Tokens that the state has taken in.
    private var position = 0
    /// Copies, by ascending position.
    private var checkpoints: [Checkpoint] = []

    private struct Checkpoint: Sendable {
        let position: Int
        let state: any RecurrentCheckpoint
    }

    /// - Throws: `outOfMemory`.
    init(_ shape: RecurrentShape, on backend: any Backend) throws(InferenceError) {
        state = try backend.makeRecurrentMemory(shape)
    }

    func beginStep(uncertainRows count: Int) throws(InferenceError) { try state.reserve(uncertainRows: count) }

    func endStep(_ layout: SegmentLayout, certainRows: Int) {
        guard certainRows > 0 else { return }
        state.acceptCertainRows()
        position += certainRows
        // A chunk of a prompt ends where the next prompt may differ. Small chunks end anywhere.
        let spacing = Self.checkpointSpacing / 8
        keepCheckpoint(spacing: certainRows >= spacing ? spacing : Self.checkpointSpacing)
    }

    func keep(path: [Int], of layout: SegmentLayout, certainRows: Int) {
        let rows = path.dropFirst(certainRows).map { $0 - certainRows }
        guard !rows.isEmpty else { return }
        state.advance(by: rows)
        position += rows.count
        keepCheckpoint(spacing: Self.checkpointSpacing)
    }

    func forget(from position: Int) {
        guard position < self.position else { return }
        while let last = checkpoints.last, last.position > position { checkpoints.removeLast() }
        if let last = checkpoints.last, last.position == position {
            state.restore(last.state)
        } else {
            state.reset()
        }
        self.position = position
    }

    func reusablePrefix(of length: Int) -> Int {
        if length >= position { return position }
        return checkpoints.last { $0.position <= length }?.position ?? 0
    }

    private final class Snapshot: LayerSnapshot {
        let checkpoints: [Checkpoint]
        /// A memory of the same group.
        private let state: any RecurrentMemory
        init(_ checkpoints: [Checkpoint], of state: any RecurrentMemory) {
            (self.checkpoints, self.state) = (checkpoints, state)
        }
        func reusablePrefix(of length: Int) -> Int { checkpoints.last { $0.position <= length }?.position ?? 0 }
        var byteCount: Int { checkpoints.count * state.shape.stateByteCount }

        func write(to sink: ByteSink) throws(InferenceError) {
            var header: [UInt8] = []
            for value in [checkpoints.count] + checkpoints.map(\.position) { header.appendLittleEndian(UInt64(value)) }
            try header.withBytes(sink)
            for checkpoint in checkpoints { try state.write(checkpoint.state, to: sink) }
        }
    }

    func snapshot(of count: Int) throws(InferenceError) -> any LayerSnapshot {
        var copies = checkpoints.filter { $0.position <= count }
        if count == position, position > 0, copies.last?.position != position {
            copies.append(Checkpoint(position: position, state: try state.copyState()))
        }
        return Snapshot(copies, of: state)
    }

    func readSnapshot(of count: Int, from source: inout ByteSource) throws(InferenceError) -> any LayerSnapshot {
        var positions: [Int] = []
        for _ in 0..<(try source.nextCount(upTo: count)) { positions.append(try source.nextCount(upTo: count)) }
        guard zip(positions, positions.dropFirst()).allSatisfy({ $0 < $1 }), positions.allSatisfy({ $0 > 0 }) else {
            throw InferenceError(.unreadableFile, "the copies of a saved recurrent state are not in order")
        }
        var copies: [Checkpoint] = []
        for position in positions {
            copies.append(Checkpoint(position: position, state: try state.readCheckpoint(from: &source)))
        }
        return Snapshot(copies, of: state)
    }

    func restore(_ snapshot: any LayerSnapshot, count: Int) {
        checkpoints = unsafeDowncast(snapshot, to: Snapshot.self).checkpoints.filter { $0.position <= count }
        if let last = checkpoints.last { state.restore(last.state) } else { state.reset() }
        position = count
    }

    var byteCount: Int { state.shape.byteCount(uncertainRows: 0) + checkpoints.count * state.shape.stateByteCount }

    private static func mostCheckpoints(_ shape: RecurrentShape) -> Int {
        max(2, checkpointBudget / max(1, shape.stateByteCount))
    }

    /// Bytes of the copies that a sequence of `slots` tokens keeps at most.
    static func checkpointByteCount(_ shape: RecurrentShape, slots: Int) -> Int {
        let most = min(mostCheckpoints(shape), slots / (checkpointSpacing / 8))
        return Int.product(most, shape.stateByteCount)
    }

    /// Copies the state if the last copy is `spacing` tokens back. Without memory for it there is none: it only saves time.
    private func keepCheckpoint(spacing: Int) {
        guard position - (checkpoints.last?.position ?? 0) >= spacing, let copy = try? state.copyState() else { return }
        checkpoints.append(Checkpoint(position: position, state: copy))
        guard checkpoints.count > Self.mostCheckpoints(state.shape) else { return }
        // The one whose neighbours are closest is missed least; the newest is never it.
        let gaps = (0..<checkpoints.count - 1).map { index in
            checkpoints[index + 1].position - (index > 0 ? checkpoints[index - 1].position : 0)
        }
        if let least = gaps.indices.min(by: { gaps[$0] < gaps[$1] }) { checkpoints.remove(at: least) }
    }
}

/// Layers of one kind and shape on one backend, whose memory is one.
struct MemoryGroup: Sendable {
    /// What the layers keep; the shapes are those of one layer.
    enum Kind: Sendable {
        case keyValues(LayerPlan)
        case recurrent(RecurrentShape)
        case rows(RowMemoryShape)
    }
    let backend: any Backend
    let kind: Kind
    private(set) var layerCount = 0

    /// Where a layer's memories are: a group, and the layer's index in it.
    struct Place: Sendable {
        var group: Int, index: Int
    }
    /// Those of one layer; nil for none.
    struct Places: Sendable {
        var keyValues: Place?, recurrent: Place?
        /// What the host keeps for each token, and the state of ``NGramEmbedding``'s convolution.
        var rows: Place?, ngrams: Place?
    }
    /// A layer's keys and values once more, in a later stage.
    struct Copy: Sendable {
        var stage: Int, place: Place
    }

    /// The groups of a model's layers, the places of each layer in them, and by layer the copies of its keys and values for layers of
    /// other stages that read them.
    static func all(
        _ layers: [LayerPlan], _ stages: [Stage]
    ) -> (groups: [MemoryGroup], places: [Places], copies: [Int: [Copy]]) {
        var groups: [MemoryGroup] = []
        var places: [Places] = []
        var copies: [Int: [Copy]] = [:]
        let firstLayer = stages.first?.blocks.lowerBound ?? 0
        for (number, stage) in stages.enumerated() {
            let first = groups.count
            func place(_ kind: Kind) -> Place {
                let known = groups[first...].firstIndex { $0.kind.hasShape(of: kind) }
                let group = known ?? groups.count
                if known == nil { groups.append(MemoryGroup(backend: stage.backend, kind: kind)) }
                defer { groups[group].layerCount += 1 }
                return Place(group: group, index: groups[group].layerCount)
            }
            for layer in layers[stage.blocks] {
                var own = Places()
                if let source = layer.attention?.sharedLayer {
                    if stage.blocks.contains(source), source - firstLayer < places.count {
                        own.keyValues = places[source - firstLayer].keyValues
                    } else if let copy = copies[source]?.first(where: { $0.stage == number }) {
                        own.keyValues = copy.place
                    } else if layers.indices.contains(source) {
                        let copy = Copy(stage: number, place: place(.keyValues(layers[source])))
                        copies[source, default: []].append(copy)
                        own.keyValues = copy.place
                    }
                } else if layer.cacheShape(layers: 1, slots: 1, type: .f32) != nil {
                    own.keyValues = place(.keyValues(layer))
                }
                if let shape = layer.recurrentShape(layers: 1) { own.recurrent = place(.recurrent(shape)) }
                if let shape = layer.rowMemoryShape { own.rows = place(.rows(shape)) }
                if let plan = layer.ngrams { own.ngrams = place(.recurrent(plan.recurrentShape)) }
                places.append(own)
            }
        }
        return (groups, places, copies)
    }

    /// The shape of a cache for `slots` tokens; nil for recurrent layers.
    func cacheShape(slots: Int, type: KVCacheType) -> KVCacheShape? {
        guard case .keyValues(let plan) = kind else { return nil }
        return plan.cacheShape(layers: layerCount, slots: slots, type: type)
    }

    /// The shape of the state; nil for layers without one.
    var recurrentShape: RecurrentShape? {
        guard case .recurrent(var shape) = kind else { return nil }
        shape.layers = layerCount
        return shape
    }

    /// Memory that a sequence of up to `slots` tokens takes, without copies of recurrent states.
    func byteCount(slots: Int, type: KVCacheType) -> Int {
        if case .rows(let shape) = kind { return shape.byteCount(layers: layerCount, slots: slots) }
        return cacheShape(slots: slots, type: type)?.byteCount
            ?? recurrentShape?.byteCount(uncertainRows: DeviceDemand.outputRows) ?? 0
    }

    /// Memory that the copies of recurrent states of such a sequence take at most.
    func checkpointByteCount(slots: Int) -> Int {
        recurrentShape.map { RecurrentStateMemory.checkpointByteCount($0, slots: slots) } ?? 0
    }

    /// An empty memory for `slots` tokens.
    func makeMemory(slots: Int, type: KVCacheType) throws(InferenceError) -> any LayerMemory {
        if case .rows(let shape) = kind { return try RowMemory(shape, layers: layerCount, slots: slots) }
        if let recurrentShape { return try RecurrentStateMemory(recurrentShape, on: backend) }
        guard let shape = cacheShape(slots: slots, type: type) else {
            throw InferenceError(.invalidArgument, "layers have no memory")
        }
        return try KeyValueMemory(shape, on: backend)
    }
}

extension MemoryGroup.Kind {
    fileprivate func hasShape(of other: Self) -> Bool {
        switch (self, other) {
        case (.keyValues(let a), .keyValues(let b)):
            a.cacheShape(layers: 1, slots: 1, type: .f32) == b.cacheShape(layers: 1, slots: 1, type: .f32)
        case (.recurrent(let a), .recurrent(let b)): a == b
        case (.rows(let a), .rows(let b)): a == b
        default: false
        }
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
    /// Sequences with the same identity keep memory of the same form, and for the same tokens of the same bits: a hash of the model,
    /// its place on the devices, the type of the cache and the rotation of keys.
    package let identity: UInt64

    /// One per ``TransformerModel/memoryGroups``.
    let memories: [any LayerMemory]
    /// Position encoding of layers without a window, and of those with one where it differs. LongRoPE's depends on ``capacity``.
    let rotary: RotaryEmbedding?, localRotary: RotaryEmbedding?
    /// The processor's memory of it, as far as it does not change.
    private let countedBytes: Int
    /// The last step, while its rows may still be kept, and how many of them are certain.
    private var pending: (layout: SegmentLayout, certainRows: Int)?

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
        identity = Self.identity(model, cacheType, [rotary, localRotary])
        // Devices count their own memory.
        countedBytes = model.memoryGroups.filter { !($0.backend is any DeviceBackend) }
            .reduce(0) { $0 + $1.byteCount(slots: capacity, type: cacheType) }
        model.sequenceBytes.add(countedBytes)
    }

    deinit { model.sequenceBytes.add(-countedBytes) }

    private static func identity(
        _ model: TransformerModel, _ cacheType: KVCacheType, _ rotations: [RotaryEmbedding?]
    ) -> UInt64 {
        var description: [UInt8] = []
        description.appendLittleEndian(model.fingerprint)
        for stage in model.stages {
            let device = (stage.backend as? any DeviceBackend)?.deviceName
            description.appendString("\(stage.backend.name) \(stage.blocks) \(device ?? "")")
        }
        description.appendString(cacheType.rawValue)
        for rotation in rotations {
            let values = rotation.map { $0.frequencies + [$0.magnitude] } ?? []
            for value in values { description.appendLittleEndian(value.bitPattern) }
        }
        return XXHash64.hash(description)
    }

    /// Makes the path `rows` of the last draft step part of the past and drops its other rows. `rows` lead from a row without parent
    /// downwards, each the parent of the next; an empty path drops the whole step.
    ///
    /// - Throws: `invalidArgument` when there is no such step or `rows` are not a path of it.
    package func keep(rows: [Int]) throws(InferenceError) {
        guard let (layout, certainRows) = pending else {
            throw InferenceError(.invalidArgument, "there is no step to keep rows of")
        }
        if let last = rows.last {
            guard (0..<layout.count).contains(last), layout.path(to: last) == rows else {
                throw InferenceError(.invalidArgument, "rows \(rows) are not a path of the step's tree")
            }
        }
        guard rows.count >= certainRows else {
            throw InferenceError(.invalidArgument, "the step's first \(certainRows) rows are kept in any case")
        }
        for memory in memories { memory.keep(path: rows, of: layout, certainRows: certainRows) }
        count += rows.count - certainRows
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

    /// Copies what the layers keep of the first `count` tokens, as far as all layers can go on from there.
    ///
    /// - Throws: `outOfMemory`.
    package func snapshot(of count: Int) throws(InferenceError) -> SequenceSnapshot {
        let count = reusablePrefix(of: count)
        return SequenceSnapshot(
            count: count, identity: identity,
            memories: try memories.map { memory throws(InferenceError) in try memory.snapshot(of: count) },
            counter: model.snapshotBytes)
    }

    /// Reads a snapshot of `count` tokens that a sequence of the same ``identity`` wrote.
    ///
    /// - Throws: `unreadableFile` for bytes that are not a snapshot, `outOfMemory`.
    package func readSnapshot(of count: Int, from source: inout ByteSource) throws(InferenceError) -> SequenceSnapshot {
        guard count <= capacity else {
            throw InferenceError(
                .unreadableFile, "a saved state has \(count) tokens, but there is room for \(capacity)")
        }
        let copies = try memories.map { memory throws(InferenceError) in
            try memory.readSnapshot(of: count, from: &source)
        }
        guard source.isAtEnd else { throw InferenceError(.unreadableFile, "a saved state is too long") }
        return SequenceSnapshot(
            count: count, identity: identity, memories: copies, counter: model.snapshotBytes)
    }

    /// Replaces everything by at most the first `length` tokens of `snapshot`, which a sequence of the same model made.
    ///
    /// - Returns: The number of tokens, see ``SequenceSnapshot/reusablePrefix(of:)``.
    package func restore(_ snapshot: SequenceSnapshot, length: Int) -> Int {
        // Keys that were rotated otherwise, for a context of another length, differ.
        let isSame = snapshot.identity == identity
        count = isSame ? snapshot.reusablePrefix(of: min(length, capacity)) : 0
        for (memory, copy) in zip(memories, snapshot.memories) where isSame { memory.restore(copy, count: count) }
        if !isSame { for memory in memories { memory.forget(from: 0) } }
        pending = nil
        return count
    }

    /// A step begins: what the last one left can no longer be kept.
    func beginStep(_ layout: SegmentLayout, certainRows: Int) throws(InferenceError) {
        pending = nil
        for memory in memories { try memory.beginStep(uncertainRows: layout.count - certainRows) }
    }

    /// A step has gone through all layers. Its certain rows are part of the past; the others may be kept by ``keep(rows:)``.
    func endStep(_ layout: SegmentLayout, certainRows: Int) {
        for memory in memories { memory.endStep(layout, certainRows: certainRows) }
        count += certainRows
        if certainRows < layout.count { pending = (layout, certainRows) }
    }
}

/// A copy of what a model's layers keep of the first tokens of a sequence. It takes only the memory that these tokens need.
package final class SequenceSnapshot: Sendable {
    /// The number of tokens.
    package let count: Int
    /// That of the sequence it comes from.
    package let identity: UInt64
    fileprivate let memories: [any LayerSnapshot]
    private let counter: ByteCounter

    fileprivate init(count: Int, identity: UInt64, memories: [any LayerSnapshot], counter: ByteCounter) {
        (self.count, self.identity, self.memories, self.counter) = (count, identity, memories, counter)
        counter.add(byteCount)
    }

    deinit { counter.add(-byteCount) }

    /// Writes it in the form that ``SequenceState/readSnapshot(of:from:)`` takes.
    package func write(to sink: ByteSink) throws(InferenceError) {
        for memory in memories { try memory.write(to: sink) }
    }

    /// The longest prefix of at most `length` tokens that all layers can go on from.
    package func reusablePrefix(of length: Int) -> Int {
        var prefix = min(length, count)
        while let shorter = memories.lazy.map({ $0.reusablePrefix(of: prefix) }).first(where: { $0 < prefix }) {
            prefix = shorter
        }
        return prefix
    }

    /// Memory that it takes, in bytes.
    package var byteCount: Int { memories.reduce(0) { $0 + $1.byteCount } }
}
