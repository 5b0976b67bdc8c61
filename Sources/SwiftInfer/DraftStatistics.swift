// What drafting did for a generation.

/// The account of a generation's drafts.
public struct DraftStatistics: Sendable, Hashable {
    /// Guesses that went through the model.
    public internal(set) var drafted = 0
    /// Those of them that were right and joined the text.
    public internal(set) var accepted = 0
    /// Time spent on finding guesses, choosing among them and learning from the outcome; part of the decoding time.
    public internal(set) var retrievalDuration = Duration.zero
    /// For each number of rows, the last token's included, how many steps with guesses had that many.
    public internal(set) var widths: [Int: Int] = [:]

    /// The account of no drafts.
    package init() {}
}
