// An ending of a text that a source knows.

/// Occurrences of one ending of the text, or of the text with some guesses behind it.
struct Match {
    /// Where, in the source's own terms.
    var place: Int
    /// Where the occurrences end, for sources that need two numbers.
    var end = 0
    /// How often they occur, at least 1.
    var occurrences: Int
    /// Tokens that agree.
    var length: Int32
    /// The shortest ending that occurs at the same places.
    var shortest: Int32

    init(length: Int, shortest: Int, occurrences: Int, place: Int, end: Int = 0) {
        self.place = place
        self.end = end
        self.occurrences = occurrences
        self.length = Int32(truncatingIfNeeded: length)
        self.shortest = Int32(truncatingIfNeeded: shortest)
    }
}
