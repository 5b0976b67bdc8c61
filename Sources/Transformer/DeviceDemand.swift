// What a model would take of a device's memory, known from its file before anything is loaded.

package import InferGGUF
package import InferSupport
package import InferTensors

/// Bytes of a device's memory by how many layers it holds, contexts included.
package struct DeviceDemand: Sendable {
    /// Most rows of a step whose logits are kept: those of a draft tree.
    static let outputRows = 64

    /// Bytes for 0, 1, … of the last blocks, and at last for all of them, embedding table and outputs.
    package let byteCounts: [Int]

    /// The demand of the model in `file` with `contexts` contexts of `capacity` tokens in steps of up to `maximumRows`.
    ///
    /// - Throws: What reading the file's configuration does.
    package init(
        _ file: GGUFFile, on device: any DeviceBackend, capacity: Int, cacheType: KVCacheType, maximumRows: Int = 512,
        contexts: Int = 1
    ) throws(InferenceError) {
        let c = try Configuration(file)
        let rows = min(capacity, maximumRows)
        let inner = file.tensors.reduce(0) { $1.name.hasSuffix("ffn_down_exps.weight") ? max($0, $1.columns) : $0 }
        let work = Workspace.shapes(c, expertInner: inner, rows: rows)
        let attention = device.byteCount(
            ofAttentionRows: rows, heads: c.headCount, valueDimension: c.valueLength, context: capacity)
        var blocks: [[TensorInfo]] = Array(repeating: [], count: c.blockCount)
        var others: [TensorInfo] = []
        for tensor in file.tensors {
            if let index = Self.block(of: tensor) {
                if blocks.indices.contains(index) { blocks[index].append(tensor) }
            } else {
                others.append(tensor)
            }
        }
        func bytes(_ weights: [TensorInfo], layers: Int, _ activations: [(rows: Int, columns: Int)]) -> Int {
            let shape = KVCacheShape(
                layers: layers, heads: c.headCountKV, keyDimension: c.keyLength, valueDimension: c.valueLength,
                slots: capacity, type: cacheType)
            let context = Int.sum([device.byteCount(of: shape), device.byteCount(ofActivations: activations)])
            return Int.sum([device.byteCount(ofWeights: weights), Int.product(contexts, context), attention])
        }
        var counts = [0]
        for layers in 1...c.blockCount {
            counts.append(bytes(blocks.suffix(layers).flatMap { $0 }, layers: layers, work))
        }
        let logits = (rows: Self.outputRows, columns: c.vocabularySize)
        let likeliest = LikeliestTokens.shapes(
            LikeliestTokens.largestCount, rows: logits.rows, columns: logits.columns)
        counts.append(bytes(others + blocks.flatMap { $0 }, layers: c.blockCount, work + [logits] + likeliest))
        byteCounts = counts
    }

    /// The index of the block that a tensor belongs to, as in `blk.7.attn_q.weight`.
    private static func block(of tensor: TensorInfo) -> Int? {
        let parts = tensor.name.split(separator: ".", maxSplits: 2)
        return parts.count == 3 && parts[0] == "blk" ? Int(parts[1]) : nil
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
