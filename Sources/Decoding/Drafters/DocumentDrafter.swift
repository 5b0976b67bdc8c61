// A drafter that draws on a collection of documents.

/// What a benchmark has to do to a drafter that draws on documents: take the answers out of them, and start over without
/// building its indexes anew.
package protocol DocumentDrafter: Drafter {
    /// Serves, until the next call, other documents in place of some: for each number of a document what to serve instead
    /// of it.
    func substitute(_ documents: [Int: [[Int32]]])

    /// Serves, until the next call, no stretch that agrees with `answer` in `length` tokens or more.
    func withhold(_ answer: [Int32], length: Int)

    /// Forgets what earlier texts taught. The documents stay.
    func forget()
}
