// What a model would take of a device's memory, known from its file before anything is loaded.

package import InferGGUF
package import InferSupport
package import InferTensors

/// Bytes of a device's memory by how many layers it holds, sequences included.
package struct DeviceDemand: Sendable {
    /// Most rows of a step whose logits are kept: those of a draft tree.
    static let outputRows = 64

    /// Bytes for 0, 1, … of the last blocks, and at last for all of them, embedding table and outputs.
    package let byteCounts: [Int]

    /// The demand of the model in `file` with `sequences` sequences of `capacity` tokens in steps of up to `maximumRows`.
    ///
    /// - Throws: What reading the file's configuration does.
    package init(
        _ file: GGUFFile, on device: any DeviceBackend, capacity: Int, cacheType: KVCacheType,
        maximumRows: Int = TransformerModel.stepRows,
        sequences: Int = 1
    ) throws(InferenceError) {
        let c = try Configuration(file)
        let rows = min(capacity, maximumRows)
        let work = WorkspaceShape(c).activations(rows: rows)
        let attention = c.layers.reduce(0) { most, layer in
            var (heads, valueLength) = (0, 0)
            if let plan = layer.attention { (heads, valueLength) = (plan.heads, plan.valueLength) }
            if case .latentAttention(let plan) = layer.mixer { (heads, valueLength) = (plan.heads, plan.latentLength) }
            guard heads > 0 else { return most }
            return max(
                most,
                device.byteCount(
                    ofAttentionRows: rows, heads: heads, valueDimension: valueLength, context: capacity))
        }
        let scans = c.layers.flatMap(\.recurrentShapes).reduce(0) { most, shape in
            max(most, device.byteCount(ofScansOf: shape, uncertainRows: Self.outputRows))
        }
        var blocks: [[TensorInfo]] = Array(repeating: [], count: c.blockCount)
        var others: [TensorInfo] = []
        for tensor in file.tensors {
            if let index = tensor.block {
                if blocks.indices.contains(index) { blocks[index].append(tensor) }
            } else {
                others.append(tensor)
            }
        }
        func bytes(_ weights: [TensorInfo], layers: Int, _ activations: [(rows: Int, columns: Int)]) -> Int {
            let stage = Stage(backend: device, blocks: c.blockCount - layers..<c.blockCount)
            let sequence = MemoryGroup.all(c.layers, [stage]).groups.map { group in
                if case .rows = group.kind { return 0 }
                return group.cacheShape(slots: capacity, type: cacheType).map { device.byteCount(of: $0) }
                    ?? group.byteCount(slots: capacity, type: cacheType) + group.checkpointByteCount(slots: capacity)
            }
            return Int.sum([
                device.byteCount(ofWeights: weights), Int.product(sequences, Int.sum(sequence)),
                device.byteCount(ofActivations: activations), attention, scans,
            ])
        }
        var counts = [0]
        for layers in 1...c.blockCount {
            counts.append(bytes(blocks.suffix(layers).flatMap { $0 }, layers: layers, work))
        }
        let logits = (rows: Self.outputRows, columns: c.vocabularySize)
        let likeliest = TopTokenBuffers.shapes(
            TopTokenBuffers.largestCount, rows: logits.rows, columns: logits.columns)
        counts.append(bytes(others + blocks.flatMap { $0 }, layers: c.blockCount, work + [logits] + likeliest))
        byteCounts = counts
    }

    /// Layers that make up the whole model.
    package var layerCount: Int { byteCounts.count - 1 }

    /// Bytes that `layers` layers take; more than there are are all.
    package func byteCount(layers: Int) -> Int { byteCounts[min(max(0, layers), layerCount)] }

    /// The most layers that `byteCount` bytes have room for.
    package func largestLayers(within byteCount: Int) -> Int {
        byteCounts.lastIndex { $0 <= byteCount } ?? 0
    }
}
