// Qwen 4's experimental files: delta nets and attention as in Qwen 3.5, over several residual streams, with indexed attention and
// embeddings of n-grams.

import InferSupport
import InferTensors

extension Architecture {
    static let qwen4exp = Architecture("qwen4exp", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useDeltaNets(keys, keyHeadsAreTiled: true)
        try configuration.useInterleavedSections(keys)
        for layer in configuration.layers.indices {
            guard case .deltaNet(var plan) = configuration.layers[layer].mixer else { continue }
            plan.gate = .sigmoid
            configuration.layers[layer].mixer = .deltaNet(plan)
        }
        configuration.hyperConnections = HyperConnectionPlan(
            count: try keys.count("hyper_connection.count", in: 1...64),
            rank: try keys.count("hyper_connection.low_rank", in: 1...65_536))
        try configuration.useIndexers(keys)
        try configuration.useNGrams(keys)
    }
}

extension Configuration {
    /// Gives the attention layers that `attention.compress_ratios` names an indexer.
    fileprivate mutating func useIndexers(_ keys: ArchitectureKeys) throws(InferenceError) {
        let key = "attention.compress_ratios"
        guard let ratios = try keys.counts(key, of: blockCount, in: 1...65_536, orZero: true),
            layers.indices.contains(where: { ratios[$0] > 0 && layers[$0].attention != nil })
        else { return }
        let heads = try keys.count("attention.indexer.head_count", in: 1...65_536)
        let length = try keys.count("attention.indexer.key_length", in: 1...65_536)
        let tokens = try keys.count("attention.indexer.top_k", in: 1...(1 << 30))
        guard length >= rope?.dimensionCount ?? 0 else {
            throw keys.malformed(
                "attention.indexer.key_length",
                "is \(length), less than rope.dimension_count, \(rope?.dimensionCount ?? 0)")
        }
        for layer in layers.indices where ratios[layer] > tokens {
            throw keys.malformed(
                key, "is \(ratios[layer]) for layer \(layer), more than attention.indexer.top_k, \(tokens)")
        }
        layers.forEachAttention { layer, plan in
            guard ratios[layer] > 0 else { return }
            plan.indexer = IndexerPlan(
                heads: heads, keyLength: length, groupLength: ratios[layer], groups: tokens / ratios[layer])
        }
    }

    /// Gives the layer that `ple.layers` names embeddings of n-grams.
    fileprivate mutating func useNGrams(_ keys: ArchitectureKeys) throws(InferenceError) {
        guard keys.has("ple.layers") else { return }
        let places = try keys.unsignedIntegers("ple.layers", count: 0, by: "the architecture")
        guard let place = places.first else { return }
        guard places.count == 1 else {
            throw keys.unsupported("ple.layers", "names \(places.count) layers; one is supported")
        }
        guard let layer = Int(exactly: place), layers.indices.contains(layer), layers[layer].attention == nil else {
            throw keys.malformed(
                "ple.layers", "names layer \(place), which is no recurrent one by full_attention_interval")
        }
        let size = try keys.count("ple.ngram_size", in: 2...64)
        let perSize = try keys.count("ple.heads_per_ngram", in: 1...1024)
        let heads = (size - 1) * perSize
        guard embeddingLength.isMultiple(of: heads) else {
            throw keys.malformed("ple.heads_per_ngram", "is \(perSize), whose heads do not divide embedding_length")
        }
        let counted = "ple.ngram_size and ple.heads_per_ngram"
        let headSizes = try keys.unsignedIntegers("ple.head_vocab_sizes", count: heads, by: counted)
        let offsets = try keys.unsignedIntegers("ple.head_offsets", count: heads, by: counted)
        guard headSizes.prefix(heads).allSatisfy({ (1...(1 << 30)).contains($0) }),
            offsets.prefix(heads).allSatisfy({ $0 <= 1 << 30 })
        else {
            throw keys.malformed("ple.head_vocab_sizes", "and ple.head_offsets do not name rows of a table")
        }
        layers[layer].ngrams = NGramPlan(
            size: size, headsPerSize: perSize, taps: try keys.count("ple.conv_kernel", in: 1...64),
            channels: embeddingLength * (hyperConnections?.count ?? 1),
            endToken: Int32(try keys.count("ple.eos_token_id", in: 0...ArchitectureKeys.largestCount)),
            multipliers: try keys.unsignedIntegers("ple.layer_multipliers", count: size, by: "ple.ngram_size"),
            headSizes: Array(headSizes.prefix(heads)), headOffsets: Array(offsets.prefix(heads)),
            embeddingLength: embeddingLength / heads)
    }
}
