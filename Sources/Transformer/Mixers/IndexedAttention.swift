// The indexer of sparse attention: it chooses the groups of tokens whose keys a token sees. Its plan, its weights, and its part of the
// forward pass.

import InferSupport
import InferTensors

/// Which keys a token of an attention layer sees: the groups of consecutive tokens whose pooled index keys fit its index queries
/// best, and the tokens behind the last complete group (as in DeepSeek's sparse attention, arXiv 2512.02556, with pooled keys).
struct IndexerPlan: Sendable, Equatable {
    /// Heads of index queries; there is one head of index keys.
    var heads: Int
    /// Length of an index key.
    var keyLength: Int
    /// Tokens of a group.
    var groupLength: Int
    /// Groups that a token sees at most.
    var groups: Int
}

/// The weights of an indexer.
struct Indexer: Sendable {
    let plan: IndexerPlan
    let q_proj: Linear, k_proj: Linear
    let q_norm: Norm
    /// The norm of pooled keys, which the host computes.
    let k_norm: [Float], epsilon: Float

    init(
        _ prefix: String, _ plan: IndexerPlan, width: Int, _ norm: NormKind, _ loader: inout WeightLoader
    ) throws(InferenceError) {
        self.plan = plan
        q_proj = try loader.linear(prefix + "q_proj", inputs: width, outputs: plan.heads * plan.keyLength)
        k_proj = try loader.linear(prefix + "k_proj", inputs: width, outputs: plan.keyLength)
        q_norm = try loader.norm(prefix + "q_norm", width: plan.keyLength, norm)
        k_norm = try loader.values(prefix + "k_norm.weight", [plan.keyLength])
        epsilon = norm.epsilon
    }

    /// The norm of the mean of a group's keys, rotated at the group's first position.
    fileprivate func pool(_ keys: [[Float]], at position: Int, _ rotary: RotaryEmbedding?) -> [Float] {
        var pooled = [Float](repeating: 0, count: plan.keyLength)
        for key in keys {
            for (index, value) in key.enumerated() { pooled[index] += value }
        }
        let count = Float(keys.count)
        var squares: Float = 0
        for index in pooled.indices {
            pooled[index] /= count
            squares += pooled[index] * pooled[index]
        }
        let factor = 1 / (squares / Float(plan.keyLength) + epsilon).squareRoot()
        for index in pooled.indices { pooled[index] *= factor * k_norm[index] }
        guard let rotary else { return pooled }
        let (angles, pairs) = (rotary.rotations(at: [position]), rotary.frequencies.count)
        for pair in 0..<pairs {
            let (cosine, sine) = (angles[2 * pair], angles[2 * pair + 1])
            let (a, b) = (pooled[pair], pooled[pair + pairs])
            pooled[pair] = a * cosine - b * sine
            pooled[pair + pairs] = a * sine + b * cosine
        }
        return pooled
    }

    /// How well a pooled key fits a row's index queries: Σ max(0, q · k) over the heads. A common factor changes no order.
    fileprivate func score(_ queries: UnsafePointer<Float>, _ key: UnsafePointer<Float>) -> Float {
        var score: Float = 0
        for head in 0..<plan.heads {
            let query = queries + head * plan.keyLength
            var sum: Float = 0
            for index in 0..<plan.keyLength { sum += query[index] * key[index] }
            if sum > 0 { score += sum }
        }
        return score
    }
}

extension ForwardPass {
    /// Most slots that the segments of one operation name, so that a device takes their paths at once.
    private static let mostSlots = 1 << 18

    /// The segments of an attention layer whose rows see what the indexer chooses for them.
    ///
    /// Index keys are on the host, and so is the choice: a device is waited for.
    func select(
        _ indexer: Indexer, from h: Activations, _ segments: [AttentionSegment], _ layer: Int, _ b: Attention.Buffers
    ) throws(InferenceError) -> [AttentionSegment] {
        guard let queries = b.indexQueries, let keys = b.indexKeys, let (memories, index) = rowMemory(of: layer),
            let rope = c.rope, let rotation = workspace.rotation
        else { return segments }
        let plan = indexer.plan
        backend.multiply(h, rows: rows, [indexer.q_proj.into(queries), indexer.k_proj.into(keys)])
        normalise(queries, rows: rows, indexer.q_norm, into: queries)
        backend.rotate(
            queries, rows: rows, headDimension: plan.keyLength, offset: 0, rotation: rotation, pairing: rope.pairing)
        try backend.finish(reading: [queries, keys], rows: rows)
        backend.read(keys, rows: rows) { keys in
            for memory in memories {
                for row in 0..<memory.layout.count {
                    let start = (memory.firstRow + row) * plan.keyLength
                    memory.memory.store(
                        keys[start..<start + plan.keyLength], layer: index, slot: memory.layout.committed + row)
                }
            }
        }
        return backend.read(queries, rows: rows) { queries in
            zip(segments, memories).flatMap { segment, memory in
                let selection = Selection(indexer, memory, layer: index)
                var selected: [AttentionSegment] = [], slots: [[Int32]] = []
                var (firstRow, count) = (0, 0)
                for row in 0..<memory.layout.count {
                    let start = (memory.firstRow + row) * plan.heads * plan.keyLength
                    slots.append(selection.slots(row, queries.baseAddress.map { $0 + start }))
                    count += slots[slots.count - 1].count
                    guard count > Self.mostSlots || row == memory.layout.count - 1 else { continue }
                    selected.append(
                        AttentionSegment(
                            firstRow: segment.firstRow + firstRow, layout: SegmentLayout(slots: slots),
                            cache: segment.cache))
                    (firstRow, count, slots) = (row + 1, 0, [])
                }
                return selected
            }
        }
    }
}

/// What the rows of one segment see.
private struct Selection {
    let indexer: Indexer
    let segment: RowSegment
    /// The pooled keys of the past, and of the groups that end with a row of the step, by that row.
    private var past: [Float] = []
    private var ending: [Int: [Float]] = [:]

    init(_ indexer: Indexer, _ segment: RowSegment, layer: Int) {
        (self.indexer, self.segment) = (indexer, segment)
        let (layout, plan, memory) = (segment.layout, indexer.plan, segment.memory)
        let length = plan.groupLength
        let positions = (0..<layout.count).map(layout.position)
        // Where rows see all groups no pooled key is needed.
        guard positions.contains(where: { ($0 + 1) / length > plan.groups }) else { return }
        past = memory.pooledRows(layout.committed / length, layer: layer) { group in
            indexer.pool(
                (0..<length).map { memory.row(layer: layer, slot: group * length + $0) }, at: group * length,
                segment.rotary)
        }
        for (row, position) in positions.enumerated() where (position + 1).isMultiple(of: length) {
            let first = position + 1 - length
            let keys = (first...position).map {
                memory.row(layer: layer, slot: segment.slot(of: $0, onPathTo: row))
            }
            ending[row] = indexer.pool(keys, at: first, segment.rotary)
        }
    }

    /// The slots that a row sees, by ascending position.
    func slots(_ row: Int, _ queries: UnsafePointer<Float>?) -> [Int32] {
        let count = segment.layout.position(of: row) + 1
        let length = indexer.plan.groupLength
        let groups = count / length
        var positions: [Int] = []
        for group in chosen(row, groups, queries) { positions += group * length..<(group + 1) * length }
        positions += groups * length..<count
        return positions.map { Int32(segment.slot(of: $0, onPathTo: row)) }
    }

    /// The groups with the best scores, ascending; of equal ones the earlier.
    private func chosen(_ row: Int, _ groups: Int, _ queries: UnsafePointer<Float>?) -> [Int] {
        guard groups > indexer.plan.groups, let queries else { return Array(0..<groups) }
        let (length, width) = (indexer.plan.groupLength, indexer.plan.keyLength)
        let scores = (0..<groups).map { group -> Float in
            let last = (group + 1) * length - 1
            if last < segment.layout.committed {
                return past.withUnsafeBufferPointer { keys in
                    keys.baseAddress.map { indexer.score(queries, $0 + group * width) } ?? 0
                }
            }
            let end = segment.layout.ancestor(of: row, segment.layout.position(of: row) - last)
            return ending[end].map { indexer.score(queries, $0) } ?? 0
        }
        return (0..<groups).sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
            .prefix(indexer.plan.groups).sorted()
    }
}
