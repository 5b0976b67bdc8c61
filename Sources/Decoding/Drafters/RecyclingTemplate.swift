// The static tree of token recycling.

/// The shape of the published tree of 80 nodes: 8, 21, 25, 15, 8 and 3 in its six layers.
enum RecyclingTemplate {
    /// For each layer, from the root, the numbers of children of its nodes in order; a node's children are its token's
    /// likeliest successors in order. (arXiv 2408.08696, section 3.2 and appendix; the public repository's template
    /// 2.2.2.)
    static let childCounts: [[Int]] = [
        [8],
        [8, 4, 3, 2, 1, 1, 1, 1],
        [8, 3, 2, 1, 1, 1, 1, 1, 2, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0],
        [5, 2, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0],
        [3, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0],
        [2, 0, 0, 1, 0, 0, 0, 0],
    ]
}
