// How the output rows of products are cut into chunks of work.

/// Chunks of the panels of one or several matrices, counted through. Which chunk a row falls in never changes a value.
///
/// The last ones are single panels, so that threads that shared the others unequally, or run unequally fast, end together.
package struct RowChunks {
    /// Number of chunks.
    package let count: Int
    private let panels: Int
    /// Panels of each of the first chunks, and how many of these there are.
    private let size: Int, large: Int

    /// Chunks of `panels` panels of `panelRows` rows.
    package init(panels: Int, panelRows: Int, threads: Int) {
        self.panels = panels
        let last = min(panels, 2 * threads)
        // Enough of them to even out the threads, small enough for the cache.
        size = min(max((panels - last) / (threads * 4), 1), max(64 / panelRows, 1))
        large = (panels - last) / size
        count = large + (panels - large * size)
    }

    /// The panels of chunk `chunk`.
    package func panels(of chunk: Int) -> Range<Int> {
        if chunk < large { return chunk * size..<(chunk + 1) * size }
        let panel = large * size + chunk - large
        return panel..<panel + 1
    }
}
