// What the outcomes of drafts taught.

/// What turns matches into probabilities: how often guesses of each sort were right, and how sources are weighed against each
/// other.
struct Experience: ~Copyable {
    var table = AcceptanceTable()
    var mixer = GuessMixer()
}
