// A one-line progress bar on standard error.

import Synchronization

/// Shows how far a long operation has come, when standard error is a terminal and the operation is not over at once.
final class ProgressBar: Sendable {
    private struct State {
        var lastDrawn: ContinuousClock.Instant?
        var isVisible = false
    }

    private let label: String
    private let started = ContinuousClock.now
    private let isEnabled = Terminal.canRedraw
    private let state = Mutex(State())

    /// A bar that is not drawn yet.
    init(_ label: String) { self.label = label }

    /// Draws the bar at `fraction` of its length. Nothing appears during the first 0.2 s, and no more than ten times a second.
    func update(_ fraction: Double, note: String = "") {
        guard isEnabled else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            guard now - (state.lastDrawn ?? started) > .milliseconds(state.lastDrawn == nil ? 200 : 100) else { return }
            state.lastDrawn = now
            state.isVisible = true
            Output.standardError("\r\u{1B}[K" + line(min(max(fraction, 0), 1), note: note))
        }
    }

    /// Removes the bar.
    func clear() {
        state.withLock { state in
            if state.isVisible { Output.standardError("\r\u{1B}[K") }
            state.isVisible = false
        }
    }

    private func line(_ fraction: Double, note: String) -> String {
        let percent = "\(Int(fraction * 100))%"
        let percentField = String(repeating: " ", count: 4 - percent.count) + percent
        let taken = label.count + 1 + 3 + percentField.count + (note.isEmpty ? 0 : note.count + 2)
        let cells = min(40, Terminal.width - 1 - taken)
        guard cells >= 5 else { return "\(label) \(percent)" }
        let filled = Int(fraction * Double(cells))
        let bar = String(repeating: "█", count: filled) + Terminal.dimmed(String(repeating: "░", count: cells - filled))
        return "\(label) \(bar) \(percentField)" + (note.isEmpty ? "" : "  " + Terminal.dimmed(note))
    }
}
