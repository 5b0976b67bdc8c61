// Qwen 3.5, 3.6 and Qwen3-Next (arXiv 2505.09388 and its successors): three gated delta nets to one layer of gated attention.

import InferSupport
import InferTensors

extension Architecture {
    static let qwen35 = Architecture("qwen35", ropePairing: .halves) { configuration, keys throws(InferenceError) in
        try configuration.useDeltaNets(keys, keyHeadsAreTiled: true)
        try configuration.useInterleavedSections(keys)
    }

    static let qwen35moe = Architecture("qwen35moe", ropePairing: .halves) {
        (configuration, keys) throws(InferenceError) in
        try configuration.useDeltaNets(keys, keyHeadsAreTiled: true)
        try configuration.useInterleavedSections(keys)
    }

    static let qwen3next = Architecture("qwen3next", ropePairing: .halves) {
        (configuration, keys) throws(InferenceError) in
        try configuration.useDeltaNets(keys, keyHeadsAreTiled: false)
    }
}

extension Configuration {
    /// Reads the sections of RoPE, whose pairs take turns.
    mutating func useInterleavedSections(_ keys: ArchitectureKeys) throws(InferenceError) {
        guard let sections = try keys.sections() else { return }
        rope?.useSections(sections, areInterleaved: true)
    }

    /// Makes the blocks that `attention.recurrent_layers` or else the interval of attention names delta nets; the others get a gate.
    /// Converters store the value heads of Qwen 3.5 so that they read key heads in turn.
    mutating func useDeltaNets(
        _ keys: ArchitectureKeys, keyHeadsAreTiled: Bool
    ) throws(InferenceError) {
        let interval = try keys.optionalCount("full_attention_interval", in: 1...4096) ?? 4
        let isRecurrent =
            try keys.flags("attention.recurrent_layers", of: blockCount)
            ?? (0..<blockCount).map { ($0 + 1) % interval != 0 }
        let plan = try DeltaNetPlan(keys, keyHeadsAreTiled: keyHeadsAreTiled)
        if let attention = layers.lazy.compactMap(\.attention).first(where: { $0.keyLength != $0.valueLength }) {
            throw keys.malformed(
                "attention.value_length",
                "is \(attention.valueLength), but gates have the length of keys, \(attention.keyLength) (attention.key_length)"
            )
        }
        layers.forEachAttention { $1.gate = .sigmoid }
        for layer in layers.indices where isRecurrent[layer] {
            var own = plan
            own.isPacked = keys.hasTensor(layer, "ssm_in.weight")
            layers[layer].mixer = .deltaNet(own)
        }
    }
}

extension DeltaNetPlan {
    /// Reads the keys `ssm.…`.
    fileprivate init(_ keys: ArchitectureKeys, keyHeadsAreTiled: Bool) throws(InferenceError) {
        let length = try keys.count("ssm.state_size", in: 1...65_536)
        let keyHeads = try keys.count("ssm.group_count", in: 1...65_536)
        let valueHeads = try keys.count("ssm.time_step_rank", in: 1...65_536)
        let inner = try keys.count("ssm.inner_size", in: 1...ArchitectureKeys.largestCount)
        guard valueHeads.isMultiple(of: keyHeads) else {
            throw keys.malformed(
                "ssm.time_step_rank", "is \(valueHeads), not a multiple of ssm.group_count, \(keyHeads)")
        }
        guard inner.isMultiple(of: valueHeads) else {
            throw keys.malformed("ssm.inner_size", "is \(inner), not a multiple of ssm.time_step_rank, \(valueHeads)")
        }
        self.init(
            keyHeads: keyHeads, valueHeads: valueHeads, keyLength: length, valueLength: inner / valueHeads,
            taps: try keys.count("ssm.conv_kernel", in: 1...64), keyHeadsAreTiled: keyHeadsAreTiled,
            decaysPerKey: false, gate: .silu)
    }
}
