// The options for choosing tokens.

import ArgumentParser
package import SwiftInfer

/// The seed of the random draws.
enum Seed: ExpressibleByArgument {
    /// A new seed for each generation.
    case random
    case fixed(UInt64)

    /// Parses a number, or -1 for a new seed each time.
    init?(argument: String) {
        if argument == "-1" {
            self = .random
        } else {
            guard let value = UInt64(argument) else { return nil }
            self = .fixed(value)
        }
    }

    var defaultValueDescription: String { "-1" }
}

/// A named choice of sampling options.
package enum SamplingPreset: String, CaseIterable {
    /// Always the token with the largest logit.
    case precise
    /// The standard of conversations with models that recommend nothing.
    case balanced
    case creative

    /// The preset's options.
    package var options: SamplingOptions {
        var options = SamplingOptions()
        switch self {
        case .precise: break
        case .balanced: (options.temperature, options.topP, options.repeatPenalty) = (0.7, 0.95, 1.05)
        case .creative: (options.temperature, options.minP, options.repeatPenalty) = (1, 0.05, 1.05)
        }
        // Small models repeat whole paragraphs.
        if self != .precise { options.penaltyWindow = 256 }
        return options
    }
}

extension SamplingPreset: ExpressibleByArgument {}

/// The sampling options of the command line. What is not given comes from the preset, in a chat from the model's file, or is off.
struct SamplingArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A choice of the following: precise (temperature 0), balanced (0.7, top-p 0.95, repeat penalty 1.05) or creative (1, min-p 0.05, repeat penalty 1.05).",
            valueName: "name"))
    var preset: SamplingPreset?

    @Option(
        name: [.long, .customLong("temp")], parsing: .unconditional,
        help: ArgumentHelp(
            "Sampling temperature; 0: always the token with the largest logit (default: 0; in run --chat what the file recommends, or --preset balanced).",
            valueName: "t"))
    var temperature: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sample from the k most probable tokens; 0 or -1: all.", valueName: "k"))
    var topK: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sample from the most probable tokens whose probabilities add up to p; 1: all.", valueName: "p"))
    var topP: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Drop tokens with less than p times the largest probability; 0: none.", valueName: "p"))
    var minP: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Divide the logits of recent tokens by this; 1: off.", valueName: "x"))
    var repeatPenalty: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Lower a recent token's logit by this each time it occurred; 0: off.", valueName: "x"))
    var frequencyPenalty: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Lower a recent token's logit once by this if it occurred; 0: off.", valueName: "x"))
    var presencePenalty: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Seed of the random draws; -1: a new one each time.", valueName: "s"))
    var seed = Seed.random

    func validate() throws {
        do {
            try options.validate()
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// The library's options, without recommendations. Without `--seed`, each call draws a new seed.
    var options: SamplingOptions { withSeed(applied(to: preset?.options ?? SamplingOptions())) }

    /// The library's options for a chat with a model whose file recommends `recommended`.
    func chatOptions(_ recommended: SamplingOptions?) -> SamplingOptions { withSeed(chatBase(recommended)) }

    /// The same without a seed.
    func chatBase(_ recommended: SamplingOptions?) -> SamplingOptions {
        // Whoever asks for no draws wants the token with the largest logit of the model itself.
        let isGreedy = temperature == 0
        let standard = isGreedy ? SamplingOptions() : recommended ?? SamplingPreset.balanced.options
        return applied(to: preset?.options ?? standard)
    }

    /// `options` with a seed.
    func withSeed(_ options: SamplingOptions) -> SamplingOptions {
        var options = options
        // Most readers of JSON keep numbers exact up to 2⁵³, so a drawn seed is below that.
        options.seed =
            switch seed {
            case .fixed(let value): value
            case .random: options.temperature > 0 ? .random(in: 0..<(1 << 53)) : 0
            }
        return options
    }

    private func applied(to options: SamplingOptions) -> SamplingOptions {
        var options = options
        if let temperature { options.temperature = temperature }
        if let topK { options.topK = topK == -1 ? 0 : topK }
        if let topP { options.topP = topP }
        if let minP { options.minP = minP }
        if let repeatPenalty { options.repeatPenalty = repeatPenalty }
        if let frequencyPenalty { options.frequencyPenalty = frequencyPenalty }
        if let presencePenalty { options.presencePenalty = presencePenalty }
        return options
    }
}
