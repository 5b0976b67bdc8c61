// The server's figures in the text format of Prometheus. Names are llama.cpp's where it has them, with our prefix.

#if Server

import InferSupport
import SwiftInfer
import Synchronization

/// Counts and histograms since the start.
final class Metrics: Sendable {
    private struct Figures {
        var requests: [Int: Int] = [:]
        var finished: [String: Int] = [:]
        var firstToken = Histogram(bounds: [
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
        ])
        var gap = Histogram(bounds: [
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10,
        ])
        var queue = Histogram(bounds: [0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60])
    }

    private let figures = Mutex(Figures())

    /// Counts a request that was answered with `status`.
    func noteRequest(status: Int) { figures.withLock { $0.requests[status, default: 0] += 1 } }
    /// Takes the time from a request to its first text.
    func noteFirstToken(_ time: Duration) { figures.withLock { $0.firstToken.add(time) } }
    /// Takes the time between two pieces of text.
    func noteGap(_ time: Duration) { figures.withLock { $0.gap.add(time) } }
    /// Takes the time that a request waited for a sequence.
    func noteQueue(_ time: Duration) { figures.withLock { $0.queue.add(time) } }
    /// Counts the end of an answer.
    func noteFinish(_ statistics: Statistics) {
        figures.withLock { $0.finished[statistics.finishReason.description, default: 0] += 1 }
    }

    /// The text of `/metrics`.
    func text(_ state: ServerState, _ served: ServedModel?) -> String {
        var page = MetricsPage()
        if let status = served?.scheduler.status { Self.write(status, to: &page) }
        page.add("connections", .gauge, "Open connections.", Double(state.connections.count))
        figures.withLock { figures in
            page.add(
                "requests_total", .counter, "Answered requests, by HTTP status.", label: "status",
                figures.requests.sorted { $0.key < $1.key }.map { ("\($0.key)", Double($0.value)) })
            page.add(
                "finished_total", .counter, "Ended generations, by reason.", label: "reason",
                figures.finished.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value)) })
            page.add("time_to_first_token_seconds", "Time from a request to its first text.", figures.firstToken)
            page.add("inter_token_latency_seconds", "Time between two pieces of text of one answer.", figures.gap)
            page.add("queue_time_seconds", "Time that a request waited for a sequence.", figures.queue)
        }
        return page.text
    }

    private static func write(_ status: Scheduler.Status, to page: inout MetricsPage) {
        let processing = status.sequences.count { $0.isProcessing }
        for (name, kind, help, value) in [
            ("prompt_tokens_total", .counter, "Evaluated prompt tokens.", Double(status.promptTokens)),
            ("prompt_seconds_total", .counter, "Time of evaluating prompts.", status.promptSeconds),
            (
                "prompt_tokens_reused_total", .counter, "Prompt tokens whose state was kept.",
                Double(status.reusedTokens)
            ),
            ("tokens_predicted_total", .counter, "Generated tokens.", Double(status.generatedTokens)),
            ("tokens_predicted_seconds_total", .counter, "Time of generating.", status.generationSeconds),
            (
                "prompt_tokens_seconds", .gauge, "Mean prompt tokens per second.",
                status.promptSeconds > 0 ? Double(status.promptTokens) / status.promptSeconds : 0
            ),
            (
                "predicted_tokens_seconds", .gauge, "Mean generated tokens per second.",
                status.generationSeconds > 0 ? Double(status.generatedTokens) / status.generationSeconds : 0
            ),
            ("requests_processing", .gauge, "Sequences that are generating.", Double(processing)),
            ("requests_deferred", .gauge, "Requests that wait for a sequence.", Double(status.waiting)),
            ("n_decode_total", .counter, "Steps of the model.", Double(status.steps)),
            ("n_rows_total", .counter, "Rows of all steps.", Double(status.rows)),
            (
                "n_busy_slots_per_decode", .gauge, "Mean number of sequences in a step.",
                status.steps > 0 ? Double(status.sequencesInSteps) / Double(status.steps) : 0
            ),
            (
                "n_rows_per_decode", .gauge, "Mean number of rows of a step.",
                status.steps > 0 ? Double(status.rows) / Double(status.steps) : 0
            ),
            (
                "cache_tokens", .gauge, "Tokens in the state of all sequences.",
                Double(status.sequences.reduce(0) { $0 + $1.tokenCount })
            ),
            ("parked_bytes", .gauge, "Bytes of parked prefixes.", Double(status.parkedBytes)),
            ("parked_sequences", .gauge, "Parked prefixes.", Double(status.parkedSequences)),
            ("spec_decode_num_drafts_total", .counter, "Steps that checked a draft.", Double(status.drafts)),
            ("spec_decode_num_draft_tokens_total", .counter, "Draft tokens.", Double(status.draftedTokens)),
            (
                "spec_decode_num_accepted_tokens_total", .counter, "Accepted draft tokens.",
                Double(status.acceptedTokens)
            ),
        ] as [(String, MetricsPage.Kind, String, Double)] {
            page.add(name, kind, help, value)
        }
        page.add(
            "spec_decode_num_accepted_tokens_per_pos_total", .counter, "Accepted draft tokens, by depth.",
            label: "position", status.acceptedPerPosition.enumerated().map { ("\($0)", Double($1)) })
    }
}

/// Counts of values within bounds.
private struct Histogram {
    let bounds: [Double]
    private(set) var counts: [Int]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func add(_ time: Duration) {
        let seconds = time / .seconds(1)
        sum += seconds
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
    }
}

/// Text in the format of Prometheus, version 0.0.4.
private struct MetricsPage {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        begin(name, kind, help)
        text += "swiftinfer:\(name) \(Self.number(value))\n"
    }

    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, label: String, _ values: [(String, Double)]
    ) {
        guard !values.isEmpty else { return }
        begin(name, kind, help)
        for (key, value) in values { text += "swiftinfer:\(name){\(label)=\"\(key)\"} \(Self.number(value))\n" }
    }

    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        begin(name, .histogram, help)
        var count = 0
        for (bound, value) in zip(histogram.bounds.map { "\($0)" } + ["+Inf"], histogram.counts) {
            count += value
            text += "swiftinfer:\(name)_bucket{le=\"\(bound)\"} \(count)\n"
        }
        text += "swiftinfer:\(name)_sum \(histogram.sum)\nswiftinfer:\(name)_count \(count)\n"
    }

    private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP swiftinfer:\(name) \(help)\n# TYPE swiftinfer:\(name) \(kind.rawValue)\n"
    }

    private static func number(_ value: Double) -> String {
        value.rounded() == value && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }
}

#endif
