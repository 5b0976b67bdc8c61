// How the device stores weights: as planes of bits, integer scales and factors.

import InferGGUF
import InferTensors

/// The planes of a quantised type: see Kernels/Vulkan/README.md, "Planes". A group is 32 consecutive elements of a row.
struct PlaneLayout {
    /// Bits of a quantum in the low plane: 2, 4 or 8.
    let lowBits: Int
    /// Bits of a quantum in the high plane: 0, 1 or 2.
    let highBits: Int
    /// This is added to the quantum that the planes hold.
    let offset: Int
    /// The values that quanta are indices of; empty if quanta are the values.
    let codebook: [Int8]
    /// Whether groups have integer scales and eight consecutive groups share factors.
    let isSuper: Bool
    /// Whether there are minima besides scales.
    let hasMinimum: Bool
    /// Integer scales of a group: none, one, or one for each half.
    let scales: Int
    /// Whether factors are the upper halves of f32 instead of f16.
    let hasWideFactors: Bool

    /// The planes of a type, as its registration in ``TensorFormat`` calls for them; nil if it is not quantised or not known.
    init?(_ type: TensorType) {
        guard let layout = TensorFormat(type)?.layout else { return nil }
        // Quanta of three bits and more than four are split: the low plane holds whole halves or quarters of a byte.
        lowBits = layout.quantumBits == 8 ? 8 : layout.quantumBits < 4 ? 2 : 4
        highBits = layout.quantumBits - lowBits
        offset = layout.offset
        codebook = layout.codebook
        isSuper = layout.scaledGroup != nil
        hasMinimum = layout.hasMinimum
        scales = layout.scaledGroup.map { 32 / $0 } ?? 0
        hasWideFactors = layout.factorOffsets.isEmpty
    }

    /// Bytes of a group in the low plane.
    var lowBytes: Int { 4 * lowBits }
    /// Bytes of a group in the high plane.
    var highBytes: Int { 4 * highBits }
    /// Bytes of a group's integer scales and minima.
    var scaleBytes: Int { hasMinimum ? 2 * scales : scales }
    /// Bytes of a factor, with the minimum's factor if there is one.
    var factorBytes: Int { hasMinimum ? 4 : 2 }
    /// Groups that share factors.
    var factorGroups: Int { isSuper ? 8 : 1 }
}

/// Where the planes of a matrix begin in a buffer.
struct PlaneOffsets {
    var low = 0, high = 0, scales = 0, factors = 0
    /// Bytes from the beginning of the first plane to the end of the last.
    var byteCount = 0

    /// Planes of `groups` groups, one after the other, beginning at `start`.
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

/// Weights in the device's memory, which are released with this object.
final class WeightPlanes: Sendable {
    private let buffer: DeviceBuffer
    let weights: DeviceWeights

    init(_ buffer: DeviceBuffer, at offsets: PlaneOffsets, pieces: Int, _ encoding: DeviceWeights.Encoding) {
        self.buffer = buffer
        let base = buffer.address
        weights = DeviceWeights(
            encoding: encoding, low: base + UInt64(offsets.low), high: base + UInt64(offsets.high),
            scales: base + UInt64(offsets.scales), factors: base + UInt64(offsets.factors), pieces: pieces)
    }
}
