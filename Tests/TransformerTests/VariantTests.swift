// Models of unusual shapes: odd numbers of heads, one expert, windows at their limits, convolutions of one or two tokens, odd ranks.

import InferGGUF
import InferTensors
import InferTransformer
import TestSupport
import Testing

/// A model with random weights: its keys, without the architecture's prefix, and its tensors' shapes.
struct ModelVariant: Sendable, CustomStringConvertible {
    let name: String
    let architecture: String
    var keys: [String: MetadataValue]
    var tensors: [(name: String, shape: [Int])] = []
    var description: String { name }

    static let vocabulary = 61
    static let contextLength = 64

    /// A model of `blocks` blocks of `width` values, with embeddings and outputs.
    init(
        _ name: String, _ architecture: String, width: Int, blocks: Int = 2, heads: Int = 1, keyValueHeads: Int = 1,
        _ counts: [String: Int] = [:]
    ) {
        (self.name, self.architecture) = (name, architecture)
        keys = ["attention.layer_norm_rms_epsilon": .float32(1e-5)]
        for (key, value) in [
            "embedding_length": width, "block_count": blocks, "context_length": Self.contextLength,
            "attention.head_count": heads, "attention.head_count_kv": keyValueHeads, "feed_forward_length": 0,
        ].merging(counts, uniquingKeysWith: { $1 }) {
            keys[key] = .uint32(UInt32(value))
        }
        add("token_embd", [width, Self.vocabulary])
        add("output_norm", [width])
    }

    private func count(_ key: String) -> Int {
        if case .uint32(let value)? = keys[key] { return Int(value) }
        return 0
    }
    private var width: Int { count("embedding_length") }

    mutating func add(_ name: String, _ shape: [Int]) { tensors.append((name + ".weight", shape)) }

    /// The attention of a block, with heads of `length` values.
    func attention(_ block: Int, length: Int, isGated: Bool = false, norms: Bool = false) -> Self {
        var variant = self
        let (heads, keyValueHeads) = (count("attention.head_count"), max(1, count("attention.head_count_kv")))
        variant.keys["attention.key_length"] = .uint32(UInt32(length))
        variant.keys["attention.value_length"] = .uint32(UInt32(length))
        let prefix = "blk.\(block)."
        variant.add(prefix + "attn_norm", [width])
        variant.add(prefix + "attn_q", [width, heads * length * (isGated ? 2 : 1)])
        variant.add(prefix + "attn_k", [width, keyValueHeads * length])
        variant.add(prefix + "attn_v", [width, keyValueHeads * length])
        variant.add(prefix + "attn_output", [heads * length, width])
        if norms {
            variant.add(prefix + "attn_q_norm", [length])
            variant.add(prefix + "attn_k_norm", [length])
        }
        return variant
    }

    func dense(_ block: Int, inner: Int, norm: String = "ffn_norm") -> Self {
        var variant = self
        let prefix = "blk.\(block)."
        variant.keys["feed_forward_length"] = .uint32(UInt32(inner))
        variant.add(prefix + norm, [width])
        variant.add(prefix + "ffn_gate", [width, inner])
        variant.add(prefix + "ffn_up", [width, inner])
        variant.add(prefix + "ffn_down", [inner, width])
        return variant
    }

    func experts(_ block: Int, inner: Int, _ number: Int, used: Int) -> Self {
        var variant = self
        let prefix = "blk.\(block)."
        variant.keys["expert_count"] = .uint32(UInt32(number))
        variant.keys["expert_used_count"] = .uint32(UInt32(used))
        variant.add(prefix + "ffn_norm", [width])
        variant.add(prefix + "ffn_gate_inp", [width, number])
        variant.add(prefix + "ffn_gate_exps", [width, inner, number])
        variant.add(prefix + "ffn_up_exps", [width, inner, number])
        variant.add(prefix + "ffn_down_exps", [inner, width, number])
        return variant
    }

    func deltaNet(_ block: Int, keyHeads: Int, valueHeads: Int, length: Int, valueLength: Int, taps: Int) -> Self {
        var variant = self
        let prefix = "blk.\(block)."
        let (keys, values) = (keyHeads * length, valueHeads * valueLength)
        for (key, value) in [
            ("conv_kernel", taps), ("inner_size", values), ("state_size", length), ("group_count", keyHeads),
            ("time_step_rank", valueHeads),
        ] {
            variant.keys["ssm." + key] = .uint32(UInt32(value))
        }
        variant.add(prefix + "attn_norm", [width])
        variant.add(prefix + "attn_qkv", [width, 2 * keys + values])
        variant.add(prefix + "attn_gate", [width, values])
        variant.add(prefix + "ssm_conv1d", [taps, 2 * keys + values])
        variant.tensors += [(prefix + "ssm_dt.bias", [valueHeads]), (prefix + "ssm_a", [valueHeads])]
        variant.add(prefix + "ssm_beta", [width, valueHeads])
        variant.add(prefix + "ssm_alpha", [width, valueHeads])
        variant.add(prefix + "ssm_norm", [valueLength])
        variant.add(prefix + "ssm_out", [values, width])
        return variant
    }

    func mamba(_ block: Int, heads: Int, length: Int, state: Int, groups: Int, taps: Int) -> Self {
        var variant = self
        let prefix = "blk.\(block)."
        let inner = heads * length
        let channels = inner + 2 * groups * state
        for (key, value) in [
            ("conv_kernel", taps), ("inner_size", inner), ("state_size", state), ("group_count", groups),
            ("time_step_rank", heads),
        ] {
            variant.keys["ssm." + key] = .uint32(UInt32(value))
        }
        variant.add(prefix + "attn_norm", [width])
        variant.add(prefix + "ssm_in", [width, inner + channels + heads])
        variant.add(prefix + "ssm_conv1d", [taps, channels])
        variant.tensors += [
            (prefix + "ssm_conv1d.bias", [channels]), (prefix + "ssm_dt.bias", [heads]),
            (prefix + "ssm_a", [1, heads]),
            (prefix + "ssm_d", [1, heads]),
        ]
        variant.add(prefix + "ssm_norm", [inner / groups, groups])
        variant.add(prefix + "ssm_out", [inner, width])
        return variant
    }

    func convolution(_ block: Int, taps: Int) -> Self {
        var variant = self
        let prefix = "blk.\(block)."
        variant.keys["shortconv.l_cache"] = .uint32(UInt32(taps))
        variant.add(prefix + "attn_norm", [width])
        variant.add(prefix + "shortconv.in_proj", [width, 3 * width])
        variant.add(prefix + "shortconv.conv", [taps, width])
        variant.add(prefix + "shortconv.out_proj", [width, width])
        return variant
    }

    func latentAttention(_ block: Int, queryRank: Int, rank: Int, plain: Int, rotated: Int, value: Int) -> Self {
        var variant = self
        let prefix = "blk.\(block)."
        let heads = count("attention.head_count")
        for (key, value) in [
            ("attention.q_lora_rank", queryRank), ("attention.kv_lora_rank", rank), ("rope.dimension_count", rotated),
            ("attention.key_length_mla", plain + rotated), ("attention.value_length_mla", value),
            ("attention.key_length", rank + rotated), ("attention.value_length", rank),
        ] {
            variant.keys[key] = .uint32(UInt32(value))
        }
        variant.add(prefix + "attn_norm", [width])
        if queryRank > 0 {
            variant.add(prefix + "attn_q_a", [width, queryRank])
            variant.add(prefix + "attn_q_a_norm", [queryRank])
            variant.add(prefix + "attn_q_b", [queryRank, heads * (plain + rotated)])
        } else {
            variant.add(prefix + "attn_q", [width, heads * (plain + rotated)])
        }
        variant.add(prefix + "attn_kv_a_mqa", [width, rank + rotated])
        variant.add(prefix + "attn_kv_a_norm", [rank])
        variant.add(prefix + "attn_k_b", [plain, rank, heads])
        variant.add(prefix + "attn_v_b", [rank, value, heads])
        variant.add(prefix + "attn_output", [heads * value, width])
        return variant
    }

    /// The same model with an array of counts, one per block.
    func setting(_ key: String, _ values: [UInt32]) -> Self {
        var variant = self
        variant.keys[key] = .array(MetadataArray(values))
        return variant
    }
    func setting(_ key: String, _ value: Int) -> Self {
        var variant = self
        variant.keys[key] = .uint32(UInt32(value))
        return variant
    }

    func model() throws -> TemporaryModel {
        var writer = GGUFWriter()
        writer.metadata["general.architecture"] = .string(architecture)
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
            writer.metadata[architecture + "." + key] = value
        }
        if architecture.hasPrefix("granite") { writer.metadata[architecture + ".logit_scale"] = .float32(1) }
        var generator = SeededGenerator(UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }.magnitude))
        for (name, shape) in tensors {
            let count = shape.reduce(1, *)
            var values = generator.floats(count, range: 1.7 / Float(shape[0]).squareRoot())
            if name.contains("norm") { values = generator.floats(count, range: 0.3).map { 1 + $0 } }
            if name.hasSuffix("ssm_a") { values = generator.floats(count, range: 0.5).map { -0.6 + $0 } }
            if name.hasPrefix("token_embd") { values = generator.floats(count) }
            try writer.addTensor(name, type: .f32, shape: shape, elements: values)
        }
        return try TemporaryModel(writer)
    }

    /// Windows of one token and of the whole context, and just below and above what the test's sequences have.
    private static let windowed = [1, 2, 15, 16, 17, contextLength].map { window in
        ModelVariant(
            "window of \(window)", "mellum", width: 40, heads: 5, keyValueHeads: 1, ["attention.sliding_window": window]
        ).setting("attention.sliding_window_pattern", [1, 0])
            .attention(0, length: 8, norms: true).dense(0, inner: 24)
            .attention(1, length: 8, norms: true).dense(1, inner: 24)
    }

    private static let delta = [(1, 1, 4, 4, 2), (3, 3, 5, 7, 2), (1, 7, 16, 17, 2), (5, 15, 8, 33, 1)].map {
        (keyHeads, valueHeads, length, valueLength, taps) in
        ModelVariant("delta net \(keyHeads):\(valueHeads), \(length)×\(valueLength), \(taps) taps", "qwen35", width: 40)
            .setting("full_attention_interval", 2).setting("attention.head_count", 3)
            .setting("rope.dimension_count", 4)
            .deltaNet(
                0, keyHeads: keyHeads, valueHeads: valueHeads, length: length, valueLength: valueLength, taps: taps
            ).dense(0, inner: 24, norm: "post_attention_norm")
            .attention(1, length: 8, isGated: true, norms: true).dense(1, inner: 24, norm: "post_attention_norm")
    }

    private static let mamba = [(1, 4, 3, 1, 2), (7, 5, 9, 7, 2), (3, 18, 16, 1, 1)].map {
        (heads, length, state, groups, taps) in
        ModelVariant(
            "Mamba-2 \(heads)×\(length), \(state) states, \(groups) groups, \(taps) taps", "granitehybrid", width: 40,
            heads: 5
        )
        .setting("attention.head_count_kv", [0, 1])
        .mamba(0, heads: heads, length: length, state: state, groups: groups, taps: taps).dense(0, inner: 24)
        .attention(1, length: 8).dense(1, inner: 24)
    }

    private static let convolutions = [1, 2, 5].map { taps in
        ModelVariant("short convolution of \(taps)", "lfm2", width: 40, heads: 5)
            .setting("attention.head_count_kv", [0, 1])
            .convolution(0, taps: taps).dense(0, inner: 24)
            .attention(1, length: 8, norms: true).dense(1, inner: 24)
    }

    private static let latent = [(0, 7, 5, 2, 3, 3), (9, 20, 10, 6, 12, 1), (11, 33, 17, 2, 5, 7)].map {
        (queryRank, rank, plain, rotated, value, heads) in
        ModelVariant(
            "latent attention of rank \(queryRank)/\(rank), \(plain)+\(rotated), \(value), \(heads) heads", "deepseek2",
            width: 40, heads: heads
        )
        .latentAttention(0, queryRank: queryRank, rank: rank, plain: plain, rotated: rotated, value: value)
        .dense(0, inner: 24)
        .latentAttention(1, queryRank: queryRank, rank: rank, plain: plain, rotated: rotated, value: value)
        .dense(1, inner: 24)
    }

    private static let mixtures = [(1, 1), (3, 3), (5, 1)].map { number, used in
        ModelVariant("\(used) of \(number) experts", "qwen3moe", width: 40, heads: 3, keyValueHeads: 3)
            .attention(0, length: 6, norms: true).experts(0, inner: 12, number, used: used)
            .attention(1, length: 6, norms: true).experts(1, inner: 12, number, used: used)
    }

    private static let heads = [(1, 1, 6), (7, 1, 10), (9, 3, 4), (17, 1, 2)].map { heads, keyValueHeads, length in
        ModelVariant(
            "\(heads) heads of \(length) on \(keyValueHeads)", "llama", width: 24, heads: heads,
            keyValueHeads: keyValueHeads
        )
        .attention(0, length: length).dense(0, inner: 7).attention(1, length: length).dense(1, inner: 7)
    }

    /// Several streams with indexed attention: groups of one token, of two, and of as many as a token sees.
    private static let indexed = [(1, 1, 1, 3), (3, 2, 2, 4), (5, 3, 7, 7)].map { streams, indexHeads, group, tokens in
        var variant = ModelVariant(
            "\(streams) streams, \(tokens) tokens in groups of \(group)", "qwen4exp", width: 40,
            ["full_attention_interval": 2, "rope.dimension_count": 4, "attention.head_count": 3]
        )
        .deltaNet(0, keyHeads: 1, valueHeads: 3, length: 8, valueLength: 5, taps: 2)
        .attention(1, length: 8, isGated: true, norms: true)
        .experts(0, inner: 12, 1, used: 1).experts(1, inner: 12, 1, used: 1)
        variant.tensors.removeAll {
            $0.name == "output_norm.weight" || $0.name.hasSuffix(".attn_norm.weight") || $0.name.contains("ffn_norm")
        }
        let all = streams * 40
        for (name, injects) in [
            ("output_hc", false), ("blk.0.hc_attn", true), ("blk.0.hc_ffn", true), ("blk.1.hc_attn", true),
            ("blk.1.hc_ffn", true),
        ] {
            variant.add(name + "_norm", [all])
            variant.add(name + "_down", [all, 5])
            variant.add(name + "_up", [5, all])
            if injects { variant.add(name + "_inject", [all, streams]) }
        }
        variant.add("blk.1.indexer.q_proj", [40, indexHeads * 6])
        variant.add("blk.1.indexer.k_proj", [40, 6])
        variant.add("blk.1.indexer.q_norm", [6])
        variant.add("blk.1.indexer.k_norm", [6])
        for (key, value) in [
            ("hyper_connection.count", streams), ("hyper_connection.low_rank", 5),
            ("attention.indexer.head_count", indexHeads), ("attention.indexer.key_length", 6),
            ("attention.indexer.top_k", tokens), ("ple.ngram_size", 2), ("ple.heads_per_ngram", 5),
            ("ple.conv_kernel", 2), ("ple.eos_token_id", 7),
        ] {
            variant.keys[key] = .uint32(UInt32(value))
        }
        variant.keys["ple.layer_multipliers"] = .array(MetadataArray([UInt64.max - 58, 998_244_353] as [UInt64]))
        variant.keys["ple.head_vocab_sizes"] = .array(MetadataArray([3, 5, 7, 11, 13] as [UInt64]))
        variant.keys["ple.head_offsets"] = .array(MetadataArray([0, 3, 8, 15, 26] as [UInt64]))
        variant.add("per_layer_token_embd", [8, 39])
        variant.add("blk.0.ple_key", [40, all])
        variant.add("blk.0.ple_value", [40, 40])
        for name in ["key", "query", "conv"] { variant.add("blk.0.ple_norm_" + name, [all]) }
        variant.add("blk.0.ple_conv1d", [2, all])
        return variant.setting("attention.compress_ratios", [0, UInt32(group)]).setting("ple.layers", [0])
    }

    static let all = indexed + windowed + delta + mamba + convolutions + latent + mixtures + heads
}

@Suite("Models of unusual shapes")
struct VariantTests {
    static let tokens: [Int32] = (0..<32).map { Int32($0 * 37 % 59 + 1) }

    @Test(
        "Chunks cut anywhere and trees give the bits of single tokens, on any number of threads",
        arguments: ModelVariant.all)
    func exactness(_ variant: ModelVariant) throws {
        let file = try variant.model().file
        let t = Self.tokens
        let expected = try TransformerModel(file, backend: CPUBackend(threads: 1)).oneByOne(t)
        #expect(expected.allSatisfy { $0.allSatisfy { Float(bitPattern: $0).isFinite } })
        #expect(Set(expected).count > 16)
        let model = try TransformerModel(file, backend: CPUBackend(threads: 2))
        for cut in 1...t.count {
            let run = try SequenceRun(model)
            try run.evaluate(Array(t[..<cut]), outputs: Array(0..<cut))
            #expect(run.bits == Array(expected[..<cut]), "up to \(cut)")
            guard cut < t.count else { continue }
            try run.evaluate(Array(t[cut...]), outputs: Array(0..<t.count - cut))
            #expect(run.bits == Array(expected[cut...]), "from \(cut)")
        }
        let run = try SequenceRun(model)
        try run.evaluate(Array(t[..<14]), outputs: [])
        let tree = [2, t[14], 2, t[15], 2, 2, t[16], 2, t[17], 2]
        let path = [1, 3, 6, 8]
        try run.evaluate(tree, parents: [-1, -1, 0, 1, 1, 4, 3, 6, 6, 8], outputs: path)
        #expect(run.bits == Array(expected[14..<18]))
        try run.state.keep(rows: path)
        try run.evaluate([t[18], 3, t[19]], parents: [-1, 0, 0], outputs: [0, 2], certainRows: 1)
        #expect(run.bits == Array(expected[18..<20]))
        try run.state.keep(rows: [0, 2])
        try run.evaluate(Array(t[20...]), outputs: Array(0..<t.count - 20))
        #expect(run.bits == Array(expected[20...]))
        let reusable = run.state.reusablePrefix(of: 9)
        try run.state.forget(from: reusable)
        try run.evaluate(Array(t[reusable..<24]), outputs: Array(0..<24 - reusable))
        #expect(run.bits == Array(expected[reusable..<24]))
    }

    @Test("The Swift kernels give the bits of the tuned ones", arguments: ModelVariant.all)
    func reference(_ variant: ModelVariant) throws {
        let file = try variant.model().file
        let kernels: [KernelChoice] = [.reference] + TunedKernels.names.map { .named($0) }
        let results = try kernels.map { kernels in
            let run = try SequenceRun(
                TransformerModel(file, backend: CPUBackend(threads: 1, kernels: kernels)))
            try run.evaluate(Array(Self.tokens[..<20]), outputs: [0, 7, 19])
            return run.bits
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("A window of one token sees nothing else, and one of the context sees all")
    func windows() throws {
        func rows(_ variant: ModelVariant, _ tokens: [Int32]) throws -> [[UInt32]] {
            try TransformerModel(variant.model().file, backend: CPUBackend(threads: 1)).oneByOne(tokens)
        }
        let narrow = try #require(ModelVariant.all.first { $0.name == "window of 1" })
        let alone = try rows(narrow.setting("attention.sliding_window_pattern", [1, 1]), [4, 9, 4, 17, 4])
        #expect(alone[2] == alone[0] && alone[4] == alone[0] && alone[1] != alone[0])
        let wide = try #require(ModelVariant.all.first { $0.name == "window of \(ModelVariant.contextLength)" })
        let windowed = try rows(wide, Self.tokens)
        #expect(try windowed == rows(wide.setting("attention.sliding_window", 0), Self.tokens))
    }
}
