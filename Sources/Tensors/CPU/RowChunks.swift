// How the output rows of several products are cut into chunks of work.

/// Chunks of the rows of several matrices, one matrix after the other. Which chunk a row falls in never changes its
/// value.
struct RowChunks {
    /// The number of chunks.
    let count: Int
    private let rows: [Int]
    private let size: Int
    private let starts: [Int]

    /// Chunks for matrices of that many rows: multiples of the kernels' `panelRows` rows (of eight at least), enough of
    /// them to even out the threads, small enough for the cache.
    init(_ rows: [Int], panelRows: Int, threads: Int) {
        let target = rows.reduce(0, +) / (threads * 8)
        let least = max(panelRows, 8)
        size = min(max((target + least - 1) / least * least, least), max(64, least))
        self.rows = rows
        var starts: [Int] = []
        var count = 0
        for rows in rows {
            starts.append(count)
            count += (rows + size - 1) / size
        }
        self.starts = starts
        self.count = count
    }

    /// The matrix and the rows of chunk `chunk`.
    subscript(chunk: Int) -> (matrix: Int, rows: Range<Int>) {
        var matrix = starts.count - 1
        while starts[matrix] > chunk { matrix -= 1 }
        let first = (chunk - starts[matrix]) * size
        return (matrix, first..<min(first + size, rows[matrix]))
    }
}
