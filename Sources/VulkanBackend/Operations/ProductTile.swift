// How products are cut into workgroups.

/// How many rows and columns a workgroup of a product takes; that changes no sum.
struct ProductTile {
    /// Slices of a workgroup, each with rows of its own: as in `lanes.glsl`.
    private static let slices = 4
    /// The least number of workgroups in a dimension that every device allows, and more than enough.
    private static let widestGroups = 32_768

    /// Rows of a slice.
    let rows: Int
    let columns: Int

    /// The tile for a product of that size.
    init(columns: Int, rows: Int, on device: DeviceTiling) {
        self.columns = columns <= 2 ? columns : columns <= 4 ? 4 : 8
        // More rows share the inputs that a thread has loaded; fewer leave more workgroups.
        let wanted =
            if device.isSoftware { 4 } else if columns == 1 { rows < 16_384 ? 1 : 2 } else {
                columns > 4 && rows >= 4096 ? 4 : 2
            }
        // As `sums` in the shaders: 33 floats for each sum of a workgroup.
        let rowBytes = 4 * 33 * Self.slices * self.columns
        self.rows = max(1, min(wanted, device.sharedBytes / rowBytes))
    }

    /// The workgroups of a product.
    func groups(rows: Int, columns: Int) -> (x: Int, y: Int, z: Int) {
        let tiles = (rows + Self.slices * self.rows - 1) / (Self.slices * self.rows)
        let width = min(tiles, Self.widestGroups)
        return (width, (tiles + width - 1) / width, (columns + self.columns - 1) / self.columns)
    }
}
