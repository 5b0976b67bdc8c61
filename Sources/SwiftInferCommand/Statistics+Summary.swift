// A generation's account in words.

import SwiftInfer

extension Statistics {
    /// One line: tokens, times and rates of prompt and answer, and why it ended.
    func summary(loadDuration: Duration? = nil) -> String {
        func part(_ label: String, _ count: Int, _ duration: Duration, _ rate: Double?) -> String {
            "\(label) \(count) tokens in \(Format.decimal(duration.seconds, 2)) s"
                + (rate.map { " (\(Format.decimal($0, 1)) tokens/s)" } ?? "")
        }
        var parts: [String] = []
        if let loadDuration { parts.append("load \(Format.decimal(loadDuration.seconds, 2)) s") }
        parts.append(part("prompt", promptTokens - reusedTokens, promptDuration, promptTokensPerSecond))
        if reusedTokens > 0 { parts.append("reused \(reusedTokens)") }
        parts.append(part("answer", tokens.count, decodeDuration, decodeTokensPerSecond))
        if draft.drafted > 0 {
            parts.append(
                "\(steps) steps of \(Format.decimal(tokensPerStep ?? 0, 2)) tokens (\(draft.drafted) drafted, "
                    + "\(draft.accepted) accepted, retrieval \(Format.decimal(draft.retrievalDuration.milliseconds, 1)) ms)"
            )
        }
        parts.append("ended by \(finishReason)")
        return parts.joined(separator: ", ")
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double { self / .seconds(1) }
    /// The duration in milliseconds.
    var milliseconds: Double { self / .milliseconds(1) }
}
