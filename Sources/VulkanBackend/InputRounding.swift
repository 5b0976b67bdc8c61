// Which norms are followed by products, so that one pass does both the norm and the rounding of its results.

/// What is known of rounding inputs of products to eight bits.
///
/// The operations of a model come in the same order step after step. The first product after a norm rounds its input itself and
/// leaves word here; from then on the norm rounds as well, and the product finds its input ready.
struct InputRounding {
    /// How the product after a norm, known by its weights' address, wants its input: with scales of super-blocks or not.
    private var wanted: [UInt64: Bool] = [:]
    /// The last norm: its results, the rows and where they lie rounded, and the number of the operation.
    private var last: (weight: UInt64, results: UInt64, rows: Int, inputs: UInt64, operation: UInt64)?
    /// How its results were rounded; nil where they were not.
    private var rounding: Bool?

    /// Takes note of a norm that is about to be recorded as operation `operation`. Returns how it is to round its results; nil
    /// for not at all.
    mutating func normalize(
        _ results: UInt64, rows: Int, by weight: UInt64, into inputs: UInt64, operation: UInt64
    ) -> Bool? {
        last = (weight, results, rows, inputs, operation)
        rounding = wanted[weight]
        return rounding
    }

    /// Takes note of a product that is about to be recorded and wants its input rounded as `isSuper` says. Returns how it is
    /// rounded already; nil where it is not.
    mutating func multiply(
        _ source: UInt64, rows: Int, wants isSuper: Bool?, from inputs: UInt64, operation: UInt64
    ) -> Bool? {
        guard let last, last.results == source, last.rows == rows, last.inputs == inputs,
            last.operation + 1 == operation
        else { return nil }
        wanted[last.weight] = isSuper
        return rounding
    }
}
