// The decision whether to ask a drafter before a step.

/// Learns for each class of the last token what asking the drafter saves. When asking costs more than it saves, the drafter is
/// paused for a number of steps after that class, and for twice as many each time it still does. This is what Zhang et al. (arXiv
/// 2502.17139) call retrieval timing, by measured benefit instead of fixed rules for kinds of tokens.
package struct RetrievalTiming {
    private struct Record {
        /// Expected saving of a draft minus the time of asking, in seconds; a moving average.
        var benefit = 0.0
        var asked = 0
        /// Steps until the drafter is asked again.
        var pause = 0
        var nextPause = firstPause
    }

    /// A draft may cost this share of a plain step without any gain, because the drafter learns from its outcome.
    private static let freeShare = 0.015
    private static let firstPause = 8
    private static let longestPause = 256
    /// The number of drafts before a class is judged for the first time, and before it is judged again.
    private static let trial = (first: 8, again: 2)

    private var records: [UInt8: Record] = [:]

    /// Asks after every class until it has been judged.
    package init() {}

    /// Whether to ask after a token of class `tokenClass`; called once per step.
    package mutating func isTime(after tokenClass: UInt8) -> Bool {
        guard let pause = records[tokenClass]?.pause, pause > 0 else { return true }
        records[tokenClass]?.pause -= 1
        return false
    }

    /// Learns the net saving of asking after a token of class `tokenClass`: the expected saving minus the time that asking took.
    /// Both `saving` and the time `plain` of a plain step are in seconds.
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
