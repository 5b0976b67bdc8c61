// The integer that stands for a token.

/// The id of a token: its row in the model's vocabulary, counted from 0.
public typealias TokenID = Int32
