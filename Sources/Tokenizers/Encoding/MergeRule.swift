// How an encoder decides which neighbouring symbols become one.

/// What two neighbours become.
struct Merge {
    /// Lower ranks merge first; equal ranks from left to right.
    var rank: Int32
    /// The symbol that takes their place.
    var symbol: Int32
}

/// The part in which byte-pair and SentencePiece encoding differ: when two neighbouring symbols may merge.
protocol MergeRule {
    /// Number of ranks; every rank is below it.
    var rankCount: Int { get }

    /// What `left` and `right` become, if they merge. Together they span the initial symbols `span` of the word.
    func merge(_ left: Int32, _ right: Int32, spanning span: Range<Int>) -> Merge?
}
