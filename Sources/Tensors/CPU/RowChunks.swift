// How the output rows of products are cut into chunks of work.

/// The size of the chunks that matrices are cut into. Which chunk a row falls in never changes its value.
struct RowChunks {
    private let size: Int

    /// Chunks for `rows` rows in all: multiples of the kernels' `panelRows` rows (of eight at least), enough of them to even
    /// out the threads, small enough for the cache.
    init(_ rows: Int, panelRows: Int, threads: Int) {
        let target = rows / (threads * 8)
        let least = max(panelRows, 8)
        size = min(max((target + least - 1) / least * least, least), max(64, least))
    }

    /// The number of chunks of a matrix of `rows` rows.
    func count(_ rows: Int) -> Int { (rows + size - 1) / size }

    /// The rows of chunk `chunk` of a matrix of `rows` rows.
    func rows(of chunk: Int, in rows: Int) -> Range<Int> { chunk * size..<min((chunk + 1) * size, rows) }
}
