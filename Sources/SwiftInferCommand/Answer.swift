// One generation, shown as it comes.

import InferSupport
import SwiftInfer

/// A finished answer.
struct Answer: Sendable {
    /// Its text.
    let text: String
    /// How it came about.
    let statistics: Statistics

    /// Runs `generation` to its end, printing its text to standard output if `printsText`, and showing a progress bar while
    /// a long prompt is evaluated. Cancelling the task ends it early, with what there is so far.
    init(_ generation: Generation, printsText: Bool) async throws(InferenceError) {
        let bar = ProgressBar("reading prompt")
        defer { bar.clear() }
        var text = ""
        for try await event in generation {
            switch event {
            case .progress(let evaluated, let total):
                bar.update(Double(evaluated) / Double(max(total, 1)), note: "\(evaluated) of \(total) tokens")
            case .text(let piece):
                bar.clear()
                text += piece
                if printsText { Output.standardOutput(piece) }
            case .finished(let statistics):
                self.text = text
                self.statistics = statistics
                return
            }
        }
        throw InferenceError(.cancelled, "the generation ended without an account")
    }
}
