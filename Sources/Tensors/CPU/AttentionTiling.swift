// How one step's attention is cut into items.

/// Items of rows × heads: heads that share keys and values go together, and as many rows as an item's memory has room for.
struct AttentionTiling {
    /// Number of items.
    let count: Int
    private let rows: Int
    private let rowsPerItem: Int
    private let group: Int
    private let headsPerItem: Int
    private let parts: Int
    private let tiles: Int

    /// Items for a step of `rows` rows.
    init(rows: Int, _ parameters: AttentionParameters) {
        self.rows = rows
        group = parameters.heads / parameters.keyValueHeads
        headsPerItem = min(group, AttentionScratch.queries)
        rowsPerItem = AttentionScratch.queries / headsPerItem
        parts = (group + headsPerItem - 1) / headsPerItem
        tiles = (rows + rowsPerItem - 1) / rowsPerItem
        count = tiles * parameters.keyValueHeads * parts
    }

    /// About how many multiplications a step after `committed` tokens takes.
    func work(after committed: Int, _ parameters: AttentionParameters, _ cache: KVCacheShape) -> Int {
        let positions = min(committed + rows, parameters.window ?? .max)
        return rows * parameters.heads * (cache.keyDimension + cache.valueDimension) * positions
    }

    /// Of `work`, what `threads` threads could have done while they wait for the last items.
    func idle(_ threads: Int, of work: Int) -> Int {
        let rounds = (count + threads - 1) / threads
        return work / count * (rounds * threads - count)
    }

    /// The rows, heads and key–value head of item `index`. Items with the same keys and values follow each other, so that
    /// these are still in the cache; later rows, which see more, come first and leave small items for the end.
    subscript(index: Int) -> (rows: Range<Int>, heads: Range<Int>, keyValueHead: Int) {
        let (keyValueHead, rest) = index.quotientAndRemainder(dividingBy: tiles * parts)
        let (number, part) = rest.quotientAndRemainder(dividingBy: parts)
        let firstRow = (tiles - 1 - number) * rowsPerItem
        let firstHead = keyValueHead * group + part * headsPerItem
        return (
            firstRow..<min(firstRow + rowsPerItem, rows),
            firstHead..<min(firstHead + headsPerItem, (keyValueHead + 1) * group), keyValueHead
        )
    }
}
