// An ending of a text that a source knows.

/// Occurrences of one ending of the text, or of the text with some guesses behind it.
struct Match {
    /// Tokens that agree.
    var length: Int
    /// The shortest ending that occurs at the same places.
    var shortest: Int
    /// How often they occur.
    var occurrences: Int
    /// Where, in the source's own terms.
    var place: Int
    /// Where the occurrences end, for sources that need two numbers.
    var end = 0
}
