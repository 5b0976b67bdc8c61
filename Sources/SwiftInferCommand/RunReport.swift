// What `run --json` prints.

import SwiftInfer

/// A finished generation in the shape of the command's JSON.
struct RunReport: Encodable {
    /// Wall-clock times of the engine's work, and rates; a rate is null where there was nothing to measure.
    struct Timings: Encodable {
        let load: JSONNumber
        let prompt: JSONNumber
        let decode: JSONNumber
        let promptRate: JSONNumber
        let decodeRate: JSONNumber

        enum CodingKeys: String, CodingKey {
            case load = "load_ms", prompt = "prompt_ms", decode = "decode_ms"
            case promptRate = "prompt_tokens_per_second", decodeRate = "decode_tokens_per_second"
        }
    }

    /// What drafting did.
    struct Draft: Encodable {
        let drafter: String
        let steps: Int
        let drafted: Int
        let accepted: Int
        let retrieval: JSONNumber

        enum CodingKeys: String, CodingKey {
            case drafter, steps, drafted, accepted
            case retrieval = "retrieval_ms"
        }
    }

    let text: String
    let tokens: [TokenID]
    let promptTokens: Int
    let finishReason: String
    let seed: UInt64
    let timings: Timings
    let draft: Draft
    /// Sixteen hexadecimal digits over every logits row a token was chosen from, in order.
    let logitsHash: String

    enum CodingKeys: String, CodingKey {
        case text, tokens, seed, timings, draft
        case promptTokens = "prompt_tokens", finishReason = "finish_reason", logitsHash = "logits_hash"
    }

    init(_ answer: Answer, loadDuration: Duration, drafter: String, seed: UInt64) {
        let statistics = answer.statistics
        text = answer.text
        tokens = statistics.tokens
        promptTokens = statistics.promptTokens
        finishReason = statistics.finishReason.description
        self.seed = seed
        timings = Timings(
            load: JSONNumber(loadDuration.milliseconds),
            prompt: JSONNumber(statistics.promptDuration.milliseconds),
            decode: JSONNumber(statistics.decodeDuration.milliseconds),
            promptRate: JSONNumber(statistics.promptTokensPerSecond ?? .nan),
            decodeRate: JSONNumber(statistics.decodeTokensPerSecond ?? .nan))
        draft = Draft(
            drafter: drafter, steps: statistics.steps, drafted: statistics.draft.drafted,
            accepted: statistics.draft.accepted,
            retrieval: JSONNumber(statistics.draft.retrievalDuration.milliseconds))
        logitsHash = Format.hexadecimal(statistics.logitsHash ?? 0)
    }
}
