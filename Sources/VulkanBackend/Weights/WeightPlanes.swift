// Weights in the device's memory.

/// A matrix, or a stack of them, as the shaders read it.
final class WeightPlanes: Sendable {
    private let buffer: DeviceBuffer
    /// The planes' addresses; float weights have the low plane alone.
    let low: UInt64, high: UInt64, scales: UInt64, factors: UInt64
    /// Groups of a row, or eights of a row of floats.
    let pieces: Int
    /// The planes of quantised weights.
    let layout: PlaneLayout?
    /// What float weights are, as shaders number it: f32, f16, bf16.
    let element: Int

    init(
        _ buffer: DeviceBuffer, at offsets: PlaneOffsets, pieces: Int, layout: PlaneLayout?, element: Int
    ) {
        self.buffer = buffer
        let base = buffer.address
        low = base + UInt64(offsets.low)
        high = base + UInt64(offsets.high)
        scales = base + UInt64(offsets.scales)
        factors = base + UInt64(offsets.factors)
        self.pieces = pieces
        self.layout = layout
        self.element = element
    }
}

/// Where the planes of a matrix begin in a buffer.
struct PlaneOffsets {
    var low = 0, high = 0, scales = 0, factors = 0
    /// Bytes from the first plane to the end of the last.
    var byteCount = 0

    /// Planes of `groups` groups, one after the other, from `start` on.
    init(_ layout: PlaneLayout, groups: Int, from start: Int = 0) {
        var end = start
        func place(_ bytes: Int) -> Int {
            defer { end += (bytes + WeightArena.alignment - 1) & ~(WeightArena.alignment - 1) }
            return end
        }
        low = place(groups * layout.lowBytes)
        high = place(groups * layout.highBytes)
        scales = place(groups * layout.scaleBytes)
        factors = place(groups / layout.factorGroups * layout.factorBytes)
        byteCount = end - start
    }

    /// One plane of `byteCount` bytes.
    init(byteCount: Int, from start: Int = 0) {
        low = start
        self.byteCount = byteCount
    }
}
