// What became of one guess.

/// A guess whose outcome is known, as ``GuessMixer`` saw it.
package struct GuessOutcome: Sendable {
    /// The inputs of its sum, called ``GuessMixer/inputNames``.
    package var inputs: [Float]
    /// How likely it was by the mixer's weights of that time.
    package var probability: Float
    /// Whether the text went on like that.
    package var isRight: Bool
}
