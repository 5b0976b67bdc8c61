// When a drafter is worth asking.

/// Learns for each class of last tokens what asking the drafter brings, and when it has become a loss asks seldom: after so many
/// tokens of that class, twice as many each time it is still one. What Zhang et al. (arXiv 2502.17139) call retrieval timing, by measured
/// value in place of rules for kinds of tokens.
package struct RetrievalTiming {
    private struct Record {
        /// Seconds a step asked for is expected to save, minus what asking took; a moving average.
        var benefit = 0.0
        var asked = 0
        /// Steps until the drafter is asked again.
        var pause = 0
        var nextPause = firstPause
    }

    /// A draft may cost this share of a plain step without any gain: its outcome teaches the drafter, which pays later.
    private static let freeShare = 0.015
    private static let firstPause = 8
    private static let longestPause = 256
    /// Answers before a class is judged, and before it is judged again.
    private static let trial = (first: 8, again: 2)

    private var records: [UInt8: Record] = [:]

    /// Every class is to be asked after until it has been judged.
    package init() {}

    /// Whether to ask after a token of class `tokenClass`; called once per step.
    package mutating func isTime(after tokenClass: UInt8) -> Bool {
        guard let pause = records[tokenClass]?.pause, pause > 0 else { return true }
        records[tokenClass]?.pause -= 1
        return false
    }

    /// Learns that asking after a token of class `tokenClass` promised to save so many seconds beyond what it took; a plain step
    /// takes `plain`.
    package mutating func learn(_ tokenClass: UInt8, saving: Double, plain: Double) {
        var record = records[tokenClass] ?? Record()
        record.asked += 1
        record.benefit += (saving - record.benefit) / Double(min(record.asked, 16))
        if record.benefit > 0 { record.nextPause = Self.firstPause }
        if record.benefit < -Self.freeShare * plain, record.asked >= Self.trial.first {
            record.pause = record.nextPause
            record.nextPause = min(2 * record.nextPause, Self.longestPause)
            record.asked = Self.trial.first - Self.trial.again
        }
        records[tokenClass] = record
    }
}
