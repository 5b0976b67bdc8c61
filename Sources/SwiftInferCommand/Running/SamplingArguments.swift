// The options for choosing tokens.

import ArgumentParser
import SwiftInfer

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

/// The sampling options of the command line.
struct SamplingArguments: ParsableArguments {
    @Option(
        name: [.long, .customLong("temp")], parsing: .unconditional,
        help: ArgumentHelp("Sampling temperature; 0: always the token with the largest logit.", valueName: "t"))
    var temperature: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sample from the k most probable tokens; 0 or -1: all.", valueName: "k"))
    var topK = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sample from the most probable tokens whose probabilities add up to p; 1: all.", valueName: "p"))
    var topP: Float = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Drop tokens with less than p times the largest probability; 0: none.", valueName: "p"))
    var minP: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Divide the logits of recent tokens by this; 1: off.", valueName: "x"))
    var repeatPenalty: Float = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Lower a recent token's logit by this each time it occurred.", valueName: "x"))
    var frequencyPenalty: Float = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Lower a recent token's logit once by this if it occurred.", valueName: "x"))
    var presencePenalty: Float = 0

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

    /// The library's options. Without `--seed`, each call draws a new seed.
    var options: SamplingOptions {
        var options = SamplingOptions()
        options.temperature = temperature
        options.topK = topK == -1 ? 0 : topK
        options.topP = topP
        options.minP = minP
        options.repeatPenalty = repeatPenalty
        options.frequencyPenalty = frequencyPenalty
        options.presencePenalty = presencePenalty
        // Most readers of JSON keep numbers exact up to 2⁵³, so a drawn seed is below that.
        options.seed =
            switch seed {
            case .fixed(let value): value
            case .random: temperature > 0 ? .random(in: 0..<(1 << 53)) : 0
            }
        return options
    }
}
