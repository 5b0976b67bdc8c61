// Reading a configuration from a model's metadata.

package import InferGGUF
package import InferSupport
import InferTensors

extension Configuration {
    /// More blocks, heads or positions than any model has; keeps products of counts far from overflow.
    private static let plausible = 1 << 24

    /// Reads the keys all architectures share, then lets the architecture add its own.
    ///
    /// - Throws: `unsupportedArchitecture`, or `malformedModel` naming the key that is absent or out of range.
    package init(_ file: GGUFFile) throws(InferenceError) {
        let metadata = file.metadata
        guard let name = try metadata.string("general.architecture") else {
            throw metadata.malformed("general.architecture", "is absent")
        }
        guard let architecture = Architecture.named(name) else {
            let known = Architecture.all.map(\.name).sorted().joined(separator: ", ")
            throw metadata.error(
                .unsupportedArchitecture, "general.architecture",
                "is \"\(name.printable)\", which is not supported; known are \(known)")
        }
        guard let embedding = file.tensor("token_embd.weight") else {
            throw InferenceError(.malformedModel, "\(file.path): tensor token_embd.weight is absent")
        }
        let keys = ArchitectureKeys(metadata, architecture: name)
        self.architecture = name
        embeddingLength = try keys.count("embedding_length", in: 1...Self.plausible)
        blockCount = try keys.count("block_count", in: 1...4096)
        contextLength = try keys.count("context_length", in: 1...(1 << 30))
        feedForwardLength = try keys.uniformCount("feed_forward_length", in: 0...Self.plausible) ?? 0
        headCount = try keys.required(keys.uniformCount("attention.head_count", in: 1...65_536), "attention.head_count")
        headCountKV = try keys.uniformCount("attention.head_count_kv", in: 1...65_536) ?? headCount
        guard headCount.isMultiple(of: headCountKV) else {
            throw keys.malformed(
                "attention.head_count_kv", "is \(headCountKV), which does not divide the \(headCount) heads")
        }
        let headLength = embeddingLength / headCount
        keyLength = try keys.optionalCount("attention.key_length", in: 1...65_536) ?? headLength
        valueLength = try keys.optionalCount("attention.value_length", in: 1...65_536) ?? headLength
        guard keyLength > 0, valueLength > 0 else {
            throw keys.malformed(
                "attention.head_count", "is \(headCount), more than embedding_length, \(embeddingLength)")
        }
        vocabularySize = embedding.rows
        if let epsilon = try keys.positive("attention.layer_norm_rms_epsilon") {
            norm = .rms(epsilon: epsilon)
        } else if let epsilon = try keys.positive("attention.layer_norm_epsilon") {
            norm = .layer(epsilon: epsilon)
        } else {
            throw keys.malformed("attention.layer_norm_rms_epsilon", "is absent, as attention.layer_norm_epsilon is")
        }
        attentionScale = 1 / Float(keyLength).squareRoot()
        rope = try RotaryConfiguration(
            keys, dimensions: keyLength, contextLength: contextLength, pairing: architecture.ropePairing)
        expertCount = try keys.optionalCount("expert_count", in: 0...65_536) ?? 0
        expertUsedCount = try keys.optionalCount("expert_used_count", in: 0...65_536) ?? 0
        guard expertUsedCount <= expertCount, expertCount == 0 || expertUsedCount > 0 else {
            throw keys.malformed(
                "expert_used_count", "is \(expertUsedCount), with an expert_count of \(expertCount)")
        }
        if let scale = try keys.positiveUnlessZero("expert_weights_scale") { routing.weightScale = scale }
        try architecture.configure(&self, keys)
    }

    /// Gives layers with a window a rotation of their own where the file has a base for it.
    mutating func readLocalRopeBase(_ keys: ArchitectureKeys) throws(InferenceError) {
        guard let base = try keys.positive("rope.freq_base_swa") else { return }
        localRope = rope
        localRope?.base = base
    }
}
