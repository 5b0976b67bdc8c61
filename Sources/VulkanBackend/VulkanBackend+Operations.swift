// The operations of the Vulkan backend: from the operands of `Backend` to operations on device memory.

import InferGGUF
import InferSupport
package import InferTensors
import Synchronization

// MARK: Rows

extension VulkanBackend {
    package func embed(_ tokens: [Int32], _ table: EmbeddingTable, scale: Float, into x: Activations) {
        let table = unsafeDowncast(table, to: VulkanEmbeddingTable.self).planes.weights, target = rows(x)
        perform { () throws(InferenceError) in
            let list = try queue.upload(tokens)
            try queue.record(
                .embed(Embedding(table: table, tokens: list, rows: tokens.count, scale: scale, x: target)))
        }
    }

    package func gather(_ x: Activations, rows indices: [Int], into y: Activations) {
        let (source, target) = (rows(x), rows(y))
        perform { () throws(InferenceError) in
            let list = try queue.upload(indices.map { Int32(truncatingIfNeeded: $0) })
            try queue.record(.gather(Gathering(x: source, y: target, indices: list, rows: indices.count)))
        }
    }

    package func rmsNorm(
        _ x: Activations, rows: Int, width: Int, weight: WeightVector, epsilon: Float, into y: Activations
    ) {
        normalize(x, rows: rows, width, weight: weight, bias: nil, epsilon: epsilon, isCentred: false, into: y)
    }

    package func layerNorm(
        _ x: Activations, rows: Int, width: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float,
        into y: Activations
    ) {
        normalize(x, rows: rows, width, weight: weight, bias: bias, epsilon: epsilon, isCentred: true, into: y)
    }

    private func normalize(
        _ x: Activations, rows count: Int, _ width: Int, weight: WeightVector, bias: WeightVector?, epsilon: Float,
        isCentred: Bool,
        into y: Activations
    ) {
        let norm = NormOperation.Norm(
            x: rows(x), y: rows(y), weight: address(weight), bias: bias.map(address), width: width,
            weightCount: weight.count, epsilon: epsilon, isCentred: isCentred)
        perform(.norm(NormOperation(norm, rows: count)))
    }

    package func gate(
        _ gate: Activations, _ up: Activations, rows count: Int, _ activation: Activation, into y: Activations
    ) {
        perform(
            .activation(
                ActivationOperation(gate: rows(gate), up: rows(up), y: rows(y), rows: count, activation: activation)))
    }

    package func activate(_ x: Activations, rows count: Int, _ activation: Activation) {
        perform(
            .activation(
                ActivationOperation(gate: rows(x), up: nil, y: rows(x), rows: count, activation: activation)))
    }

    package func add(_ y: Activations, scale: Float, to x: Activations, rows count: Int) {
        perform(.addition(Addition(y: rows(y), x: rows(x), rows: count, scale: scale)))
    }

    package func scale(_ x: Activations, rows: Int, by scale: Float) { change(x, rows: rows, by: .scale(scale)) }

    package func scaleRows(_ x: Activations, rows count: Int, by factors: Activations) {
        change(x, rows: count, by: .scaleRows(rows(factors)))
    }

    package func add(_ y: Activations, scales factors: WeightVector, to x: Activations, rows count: Int) {
        record(
            .addGroups(
                GroupAddition(y: rows(y), x: rows(x), rows: count, factors: address(factors), count: factors.count)))
    }

    package func decay(_ x: Activations, rows: Int, rates: WeightVector) {
        change(x, rows: rows, by: .decay(rates: address(rates), count: rates.count))
    }

    package func copyColumns(_ x: Activations, rows count: Int, _ columns: ColumnCopy, into y: Activations) {
        record(.copyColumns(RowCopy(x: rows(x), y: rows(y), rows: count, columns: columns)))
    }

    package func softCap(_ x: Activations, rows: Int, cap: Float) { change(x, rows: rows, by: .softCap(cap)) }

    private func change(_ x: Activations, rows count: Int, by function: RowScaling.Function) {
        record(.scale(RowScaling(x: rows(x), rows: count, function: function)))
    }
}

// MARK: Products and experts

extension VulkanBackend {
    package func multiply(_ x: Activations, rows: Int, _ projections: [Projection]) {
        multiply(x, rows: rows, columns: rows, projections, experts: nil)
    }

    package func multiplyExperts(_ x: Activations, rows: Int, _ projections: [Projection], _ routing: ExpertRouting) {
        let columns = rows * routing.expertsUsed
        let isPerChoice = x.rows >= routing.rows * routing.expertsUsed
        multiply(
            x, rows: isPerChoice ? columns : rows, columns: columns, projections, experts: experts(routing).experts)
    }

    /// Products of `columns` columns; `columns / count` consecutive columns share one of `count` inputs.
    private func multiply(
        _ x: Activations, rows count: Int, columns: Int, _ projections: [Projection], experts: DeviceAddress?
    ) {
        // The buffer stays alive until the queue has the operation: another thread that needs more room may replace it.
        let inputs = scratch.withLock { $0.inputs }
        withExtendedLifetime(inputs) {
            let products = projections.map {
                Product(
                    weights: weights($0.weight), rows: $0.weight.rows, bias: $0.bias.map(address),
                    output: rows($0.output))
            }
            perform(
                .products(
                    Products(
                        rows(x), rows: count, columns: columns, products, experts: experts,
                        roundedTo: inputs.address)))
        }
    }

    package func route(
        _ logits: Activations, rows count: Int, _ parameters: RoutingParameters, into routing: ExpertRouting
    ) {
        guard tiling.hasRoom(forExperts: logits.columns, groups: parameters.groupCount) else {
            return perform { () throws(InferenceError) in
                throw InferenceError(.unsupportedModel, "\(logits.columns) experts are too many for \(device.name)")
            }
        }
        record(
            .route(
                ExpertChoice(
                    logits: rows(logits), rows: count, parameters: parameters,
                    selectionBias: parameters.selectionBias.map(address),
                    expertScales: parameters.expertScales.map(address), experts: experts(routing))))
    }

    package func routeToAll(rows: Int, into routing: ExpertRouting) {
        record(.routeToAll(experts(routing), rows: rows))
    }

    package func combineExperts(_ x: Activations, rows count: Int, _ routing: ExpertRouting, into y: Activations) {
        perform(.combination(ExpertCombination(rows(x), rows: count, experts(routing), into: rows(y))))
    }
}

// MARK: Attention and the key–value cache

extension VulkanBackend {
    package func rotate(
        _ x: Activations, rows count: Int, headDimension: Int, offset: Int, rotation: Activations,
        pairing: RotaryPairing
    ) {
        perform(
            .rotations(
                Rotations(
                    rows(x), rows: count, headDimension: headDimension, offset: offset, angles: rows(rotation),
                    pairing: pairing)))
    }

    package func store(keys: Activations, values: Activations, _ segments: [AttentionSegment], layer: Int) {
        for segment in segments {
            let cache = unsafeDowncast(segment.cache, to: VulkanKeyValueCache.self)
            perform(
                .storing(
                    Storing(
                        rows(keys), rows(values), firstRow: segment.firstRow, rows: segment.layout.count,
                        in: cache.shape, cache.keys[layer], cache.values[layer], firstSlot: segment.layout.committed)))
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
                for (first, layers) in half.runs {
                    for (address, bytes) in [
                        (first.address, first.row.byteCount), (first.scaleAddress, first.row.scaleByteCount),
                    ] {
                        try queue.record(
                            .moveSlots(
                                SlotMoves(
                                    moves: list, count: pairs.count / 2, buffer: first.buffer, address: address,
                                    slotBytes: bytes, heads: layers * shape.heads, slots: shape.slots)))
                    }
                }
            }
        }
    }

    package func copySlots(_ count: Int, from source: KVCache, to target: KVCache) {
        let source = unsafeDowncast(source, to: VulkanKeyValueCache.self)
        let target = unsafeDowncast(target, to: VulkanKeyValueCache.self)
        guard count > 0 else { return }
        perform { () in target.copySlots(count, from: source, on: queue) }
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
        let cache = unsafeDowncast(segment.cache, to: VulkanKeyValueCache.self)
        let work = AttentionWork(layout, cache.shape, parameters)
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
            let attention = AttentionOperation(
                rows(queries), into: rows(y), firstRow: segment.firstRow, layout, try upload(layout),
                shape: cache.shape,
                keys: cache.keys[layer], values: cache.values[layer], parameters,
                sinks: parameters.sinks.map(address), work, in: memory.address)
            try attention.record { (command) throws(InferenceError) in try queue.record(command) }
        }
    }

    /// The paths of `layout` in memory that the device reads, uploaded once for all layers of a step.
    func upload(_ layout: SegmentLayout) throws(InferenceError) -> AttentionOperation.Paths {
        let frame = queue.frameNumber
        let earlier = uploadedLayouts.withLock { $0.last { $0.serves(layout, frame: frame) } }
        if let earlier { return earlier.paths }
        let fresh = try UploadedLayout(layout, on: queue)
        uploadedLayouts.withLock { layouts in
            layouts.removeAll { $0.frame != frame }
            layouts.append(fresh)
        }
        return fresh.paths
    }
}

/// The paths of a step's rows in memory that the device reads.
struct UploadedLayout {
    let frame: UInt64
    private let layout: SegmentLayout
    let paths: AttentionOperation.Paths

    init(_ layout: SegmentLayout, on queue: CommandQueue) throws(InferenceError) {
        self.layout = layout
        let depths = try queue.upload(layout.depths)
        paths = AttentionOperation.Paths(
            depths: depths, pathStarts: layout.isChain ? depths : try queue.upload(layout.pathStarts),
            paths: layout.isChain ? depths : try queue.upload(layout.paths))
        frame = queue.frameNumber
    }

    /// Whether `other` has the same paths and the upload is still valid in frame `frame`. The number of committed tokens may
    /// differ: it is a parameter of each command.
    func serves(_ other: SegmentLayout, frame: UInt64) -> Bool {
        self.frame == frame && layout.depths == other.depths && layout.pathStarts == other.pathStarts
            && layout.paths == other.paths
    }
}

// MARK: Logits

extension VulkanBackend {
    /// Computes the maxima even if `hasMaxima`: the device reads the logits again at little cost.
    package func findTopTokens(
        _ logits: Activations, rows count: Int, of tokenCount: Int, hasMaxima: Bool, into topTokens: TopTokenBuffers
    ) {
        let search = TopTokenSearch(
            logits: rows(logits), rows: count, tokenCount: tokenCount, maxima: rows(topTokens.maxima),
            keys: rows(topTokens.keys), count: topTokens.count)
        record(.findMaxima(search), .findTopTokens(search))
    }

    package func sumSoftmax(
        _ logits: Activations, rows count: Int, of tokenCount: Int, scale: Float, into topTokens: TopTokenBuffers
    ) {
        // The sums of blocks replace the maxima, which are not needed any more.
        let sum = SoftmaxSum(
            logits: rows(logits), rows: count, tokenCount: tokenCount, scale: scale, keys: rows(topTokens.keys),
            count: topTokens.count, blocks: rows(topTokens.maxima), sums: rows(topTokens.sums))
        record(.sumSoftmaxBlocks(sum), .sumSoftmax(sum))
    }
}

// MARK: Operands

extension VulkanBackend {
    /// Records commands that are never joined with others.
    func record(_ commands: DeviceCommand...) {
        perform { () throws(InferenceError) in
            for command in commands { try queue.record(command) }
        }
    }

    func rows(_ x: Activations) -> DeviceRows { activations(x).all }

    func address(_ vector: WeightVector) -> DeviceAddress {
        unsafeDowncast(vector, to: VulkanWeightVector.self).address
    }

    private func weights(_ matrix: WeightMatrix) -> DeviceWeights {
        unsafeDowncast(matrix, to: VulkanWeightMatrix.self).planes.weights
    }

    private func experts(_ routing: ExpertRouting) -> DeviceExperts {
        unsafeDowncast(routing, to: VulkanExpertRouting.self).experts
    }
}
