// The token with the largest logit of a row.

extension UnsafeBufferPointer<Float> {
    /// The number of values that are searched again for the position of the maximum.
    private static var blockSize: Int { 4096 }

    /// The lowest index of the largest value. NaN and −∞ do not count; nil when there is no other value.
    package var argMax: Int? {
        var best = -Float.infinity
        var blockStart = 0
        for start in stride(from: 0, to: count, by: Self.blockSize) {
            let value = self[range(from: start)].largest
            if value > best {
                best = value
                blockStart = start
            }
        }
        guard best > -.infinity else { return nil }
        return self[range(from: blockStart)].firstIndex(of: best)
    }

    private func range(from start: Int) -> Range<Int> { start..<Swift.min(start + Self.blockSize, count) }

    /// The largest value that is not NaN; −∞ when there is none.
    var largest: Float { self[...].largest }
}

extension Slice<UnsafeBufferPointer<Float>> {
    fileprivate var largest: Float {
        let values = UnsafeBufferPointer(rebasing: self)
        let width = SIMD16<Float>.scalarCount
        let vectorEnd = values.count - values.count % width
        var best = -Float.infinity
        if vectorEnd > 0, let base = UnsafeRawPointer(values.baseAddress) {
            var lanes = SIMD16<Float>(repeating: -.infinity)
            for index in stride(from: 0, to: vectorEnd, by: width) {
                let next = base.loadUnaligned(fromByteOffset: 4 * index, as: SIMD16<Float>.self)
                // A comparison with NaN is false, so NaN is never taken.
                lanes.replace(with: next, where: next .> lanes)
            }
            best = lanes.max()
        }
        for value in values[vectorEnd...] where value > best { best = value }
        return best
    }
}
