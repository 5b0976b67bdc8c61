// A piece of one step's attention: some rows × some heads that share keys and values.

/// One item of attention and its working memory; query (row, head) has index (row − first row) · heads + (head − first
/// head).
struct AttentionItem {
    let rows: Range<Int>
    let heads: Range<Int>
    let keyValueHead: Int
    /// Slot, and for the past position, of the first score: a multiple of a panel's sixteen.
    let base: Int
    /// End of the slots whose keys are scored.
    let end: Int
    let scratch: AttentionScratch

    /// Queries.
    var count: Int { rows.count * heads.count }

    /// Panels of keys that are scored.
    var panels: Int { (end - base + KeyPanel.keys - 1) / KeyPanel.keys }

    /// The index of a query.
    func query(_ row: Int, _ head: Int) -> Int {
        (row - rows.lowerBound) * heads.count + head - heads.lowerBound
    }
}
