// Progress on standard error: a bar of one line, and the progress of `bench drafting`.

import Synchronization

/// Shows the progress of a long operation if standard error is a terminal.
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

    /// Draws the bar at `fraction` of its length, at most ten times per second and not during the first 0.2 s. Without a fraction, the
    /// note stands alone.
    func update(_ fraction: Double?, note: String = "") {
        guard isEnabled else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            guard now - (state.lastDrawn ?? started) > .milliseconds(state.lastDrawn == nil ? 200 : 100) else { return }
            state.lastDrawn = now
            state.isVisible = true
            let line = fraction.map { self.line(min(max($0, 0), 1), note: note) } ?? "\(label) \(note)"
            Output.standardError("\r\u{1B}[K" + line)
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

/// Shows how many tasks of `bench drafting` are done: a bar on a terminal, elsewhere a line every ten seconds.
final class DraftingProgress: Sendable {
    private let total: Int
    private let bar = ProgressBar("drafting")
    private let lastLine = Mutex<ContinuousClock.Instant?>(nil)

    private static let lineInterval = Duration.seconds(10)

    /// Progress over `total` tasks.
    init(total: Int) { self.total = total }

    /// Shows that `count` tasks are done, of which `name` is the last.
    func update(_ count: Int, _ name: String) {
        bar.update(Double(count) / Double(max(total, 1)), note: name)
        let now = ContinuousClock.now
        lastLine.withLock { lastLine in
            if Terminal.canRedraw || lastLine.map({ now - $0 < Self.lineInterval }) ?? false { return }
            lastLine = now
            Output.standardError("\(count) of \(total) tasks: \(name)\n")
        }
    }

    /// Removes the bar.
    func clear() { bar.clear() }
}
