// How far `bench drafting` has come.

/// Tells on standard error how many tasks are done: a bar on a terminal, elsewhere a line now and then.
final class DraftingProgress {
    private let total: Int
    private let bar = ProgressBar("drafting")
    private var count = 0
    private var lastLine: ContinuousClock.Instant?

    private static let lineInterval = Duration.seconds(10)

    /// Progress over `total` tasks.
    init(total: Int) { self.total = total }

    /// Counts a task.
    func advance(_ name: String) {
        count += 1
        bar.update(Double(count) / Double(max(total, 1)), note: name)
        let now = ContinuousClock.now
        if Terminal.canRedraw || lastLine.map({ now - $0 < Self.lineInterval }) ?? false { return }
        lastLine = now
        Output.standardError("\(count) of \(total) tasks: \(name)\n")
    }

    /// Removes the bar.
    func clear() { bar.clear() }
}
