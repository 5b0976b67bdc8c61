// Counts, times, names and probabilities of answers, as the interfaces write them.

#if Server

import Foundation
import InferSupport
import SwiftInfer

extension Statistics {
    /// The counts of tokens as OpenAI writes them; of several answers to one prompt, the prompt counts once.
    static func usage(of answers: [Statistics], prompts: Int = 1) -> JSONValue {
        let perPrompt = max(1, answers.count / max(1, prompts))
        let firsts = answers.enumerated().filter { $0.offset % perPrompt == 0 }.map(\.element)
        let prompt = firsts.reduce(0) { $0 + $1.promptTokens }
        let reused = firsts.reduce(0) { $0 + $1.reusedTokens }
        let completion = answers.reduce(0) { $0 + $1.tokens.count }
        let drafted = answers.reduce(0) { $0 + $1.draft.drafted }
        let accepted = answers.reduce(0) { $0 + $1.draft.accepted }
        return [
            "prompt_tokens": .integer(prompt), "completion_tokens": .integer(completion),
            "total_tokens": .integer(prompt + completion), "prompt_tokens_details": ["cached_tokens": .integer(reused)],
            "completion_tokens_details": [
                "accepted_prediction_tokens": .integer(accepted),
                "rejected_prediction_tokens": .integer(drafted - accepted),
            ],
        ]
    }

    /// The times as llama.cpp writes them.
    var timings: JSONValue {
        func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }
        func each(_ duration: Duration, _ count: Int) -> JSONValue {
            .number(count > 0 ? milliseconds(duration) / Double(count) : 0)
        }
        func rate(_ count: Int, _ duration: Duration) -> JSONValue {
            let seconds: Double = duration / .seconds(1)
            return .number(seconds > 0 ? Double(count) / seconds : 0)
        }
        let evaluated = promptTokens - reusedTokens
        var object: JSONObject = [
            "cache_n": .integer(reusedTokens), "prompt_n": .integer(evaluated),
            "prompt_ms": .number(milliseconds(promptDuration)),
            "prompt_per_token_ms": each(promptDuration, evaluated),
            "prompt_per_second": rate(evaluated, promptDuration),
            "predicted_n": .integer(tokens.count), "predicted_ms": .number(milliseconds(decodeDuration)),
            "predicted_per_token_ms": each(decodeDuration, tokens.count),
            "predicted_per_second": rate(tokens.count, decodeDuration),
            "queue_ms": .number(milliseconds(queueDuration)),
        ]
        if draft.drafted > 0 {
            object["draft_n"] = .integer(draft.drafted)
            object["draft_n_accepted"] = .integer(draft.accepted)
        }
        return .object(object)
    }

    /// The reason for the end, as OpenAI names it.
    var openAIFinishReason: String {
        switch finishReason {
        case .length, .contextFull: "length"
        default: "stop"
        }
    }
}

extension GeneratedToken {
    /// The token's bytes as text; parts of characters become U+FFFD.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The token's probability as OpenAI's chat writes it, with the token's number before it if `withID`.
    func chatProbability(_ tokenizer: Tokenizer, withID: Bool = false) -> JSONValue {
        var object = Self.member(id, bytes, logProbability ?? 0, withID: withID)
        object["top_logprobs"] = .array(
            top.map { other in
                .object(
                    Self.member(other.id, Array(tokenizer.bytes(of: other.id)), other.logProbability, withID: withID))
            })
        return .object(object)
    }

    private static func member(_ id: TokenID, _ bytes: [UInt8], _ logProbability: Double, withID: Bool) -> JSONObject {
        var object = JSONObject()
        if withID { object["id"] = .integer(Int(id)) }
        object["token"] = .string(String(decoding: bytes, as: UTF8.self))
        object["logprob"] = .number(logProbability)
        object["bytes"] = .array(bytes.map { .integer(Int($0)) })
        return object
    }
}

extension [GeneratedToken] {
    /// The probabilities of the tokens as OpenAI's completions write them.
    ///
    /// - Parameter offset: The number of characters before the first token. It moves on.
    func completionProbabilities(_ tokenizer: Tokenizer, offset: inout Int) -> JSONValue {
        var offsets: [JSONValue] = []
        for token in self {
            offsets.append(.integer(offset))
            offset += token.text.unicodeScalars.count
        }
        return [
            "tokens": .array(map { .string($0.text) }),
            "token_logprobs": .array(map { .number($0.logProbability ?? 0) }),
            "top_logprobs": .array(
                map { token in
                    var object = JSONObject()
                    for other in token.top {
                        object[String(decoding: tokenizer.bytes(of: other.id), as: UTF8.self)] = .number(
                            other.logProbability)
                    }
                    return .object(object)
                }),
            "text_offset": .array(offsets),
        ]
    }

    /// The probabilities of the tokens as OpenAI's chat writes them.
    func chatProbabilities(_ tokenizer: Tokenizer) -> JSONValue {
        ["content": .array(map { $0.chatProbability(tokenizer) })]
    }

    /// Which of the tokens a draft contained: the server's own member of a piece.
    var draftNote: JSONValue {
        ["tokens": .array(map { ["id": .integer(Int($0.id)), "drafted": .bool($0.isDrafted)] })]
    }
}

extension AnswerEvent {
    /// The progress of the prompt as llama.cpp writes it.
    static func progressMember(evaluated: Int, total: Int) -> JSONValue {
        ["total": .integer(total), "processed": .integer(evaluated)]
    }
}

/// Times since 1970.
enum UnixTime {
    /// The seconds since 1970.
    static var now: Int { Int(Date().timeIntervalSince1970) }

    /// The time by ISO 8601 in UTC, with parts of a second.
    static var text: String { Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    /// A new name for an answer: `prefix` and 24 letters and digits.
    static func identifier(_ prefix: String) -> String {
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        return prefix + String((0..<24).map { _ in letters.randomElement() ?? "x" })
    }
}

#endif
