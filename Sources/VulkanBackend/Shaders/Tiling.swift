// How operations are cut into workgroups. Tiles decide which thread computes what; they change no sum.

import CInferVulkanKernels

/// The properties of a device that the choice of tiles depends on.
package struct DeviceTiling: Sendable {
    /// Whether a processor runs the shaders. Then every shared load saves time, and few workgroups are enough.
    package let isSoftware: Bool
    /// Bytes that the threads of a workgroup can share.
    package let sharedBytes: Int

    /// Tiles for a device with these properties.
    package init(isSoftware: Bool, sharedBytes: Int) {
        self.isSoftware = isSoftware
        self.sharedBytes = sharedBytes
    }

    init(_ device: PhysicalDevice) {
        isSoftware = device.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU
        sharedBytes = Int(device.properties.limits.maxComputeSharedMemorySize)
    }
}

/// How many rows and columns a workgroup of a product computes.
struct ProductTile {
    /// Slices of a workgroup, each with its own rows: as in `lanes.glsl`.
    private static let slices = 4
    /// Most workgroups in one dimension. Every Vulkan device allows 65,535.
    private static let widestGroups = 32_768

    /// Rows of a slice.
    let rows: Int
    let columns: Int

    /// The tile for a product with that many columns and rows of the matrix.
    init(columns: Int, rows: Int, on device: DeviceTiling) {
        self.columns = columns <= 2 ? columns : columns <= 4 ? 4 : 8
        // With more rows, a thread uses the inputs that it has loaded more often. With fewer rows, there are more workgroups.
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

/// How many queries and columns a workgroup of attention computes.
struct AttentionTile {
    /// Queries that share the keys and values which a workgroup reads.
    let queries: Int
    private let isSoftware: Bool

    /// The tile for `rows` rows of a round, in which `headsPerKey` query heads share a key–value head.
    init(rows: Int, headsPerKey: Int, on device: DeviceTiling) {
        isSoftware = device.isSoftware
        // With few rows there are too few workgroups already.
        guard device.isSoftware || rows >= 8 else {
            queries = 1
            return
        }
        let count = rows * headsPerKey
        // As `numerators` and `lanes` in `attend_values.comp`, with 4096 bytes for `sums`.
        let room = max(1, (device.sharedBytes - 4096) / (4 * (AttentionWork.chunk + 128)))
        queries = min(count > 2 ? 4 : count, room)
    }

    /// Workgroups that share the `columns` columns of a chunk's values, where there are `otherGroups` groups of queries and
    /// chunks. Each of them computes the chunk's softmax again, which is worth the time if there are few workgroups.
    func columnGroups(columns: Int, otherGroups: Int) -> Int {
        let enough = isSoftware ? 8 : 512
        return min((columns + 31) / 32, (enough + otherGroups - 1) / otherGroups)
    }
}
