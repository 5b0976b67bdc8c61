// The scalar kernels that quantise activations to eight bits.

extension ReferenceKernels {
    package func quantize(
        _ count: Int, _ x: UnsafePointer<Float>, as format: InputFormat, into blocks: UnsafeMutableRawPointer
    ) {
        switch format {
        case .float:
            blocks.copyMemory(from: x, byteCount: count * 4)
        case .blocks32:
            for (index, start) in stride(from: 0, to: count, by: 32).enumerated() {
                let block = blocks + index * InputFormat.Block32.byteCount
                let values = (block + InputFormat.Block32.values).assumingMemoryBound(to: Int8.self)
                let scale = Self.quantizeBlock(min(32, count - start), x + start, size: 32, into: values)
                let sum = Self.sum(values, 32)
                block.storeBytes(of: Self.roundedToHalf(scale), as: Float.self)
                block.storeBytes(
                    of: Self.roundedToHalf(scale * Float(sum)), toByteOffset: InputFormat.Block32.scaledSum,
                    as: Float.self)
                block.storeBytes(of: sum, toByteOffset: InputFormat.Block32.sum, as: Int32.self)
            }
        case .blocks256:
            for (index, start) in stride(from: 0, to: count, by: 256).enumerated() {
                let block = blocks + index * InputFormat.Block256.byteCount
                let values = (block + InputFormat.Block256.values).assumingMemoryBound(to: Int8.self)
                let scale = Self.quantizeBlock(min(256, count - start), x + start, size: 256, into: values)
                block.storeBytes(of: scale, as: Float.self)
                for group in 0..<16 {
                    let sum = Int16(truncatingIfNeeded: Self.sum(values + group * 16, 16))
                    block.storeBytes(of: sum, toByteOffset: InputFormat.Block256.sums + 2 * group, as: Int16.self)
                }
                for group in 0..<8 {
                    let sum = Int16(truncatingIfNeeded: Self.sum(values + group * 32, 32))
                    block.storeBytes(of: sum, toByteOffset: InputFormat.Block256.sums32 + 2 * group, as: Int16.self)
                }
            }
        }
    }

    /// The nearest f16; `x` itself outside the range of f16's normal numbers.
    private static func roundedToHalf(_ x: Float) -> Float {
        let half = Float(halfBits: x.halfBits)
        return x.magnitude >= 0x1p-14 && !half.isInfinite ? half : x
    }

    private static func sum(_ values: UnsafePointer<Int8>, _ count: Int) -> Int32 {
        var sum: Int32 = 0
        for i in 0..<count { sum &+= Int32(values[i]) }
        return sum
    }

    /// Quantises one block of `size` values, of which `count` exist, and returns its scale.
    static func quantizeBlock(
        _ count: Int, _ x: UnsafePointer<Float>, size: Int, into values: UnsafeMutablePointer<Int8>
    ) -> Float {
        var magnitude: UInt32 = 0  // bit patterns order as the magnitudes do, NaN above all
        for i in 0..<count { magnitude = max(magnitude, x[i].bitPattern & 0x7fff_ffff) }
        guard (0x0d80_0000..<0x7f80_0000).contains(magnitude) else {
            values.update(repeating: 0, count: size)
            return magnitude < 0x0d80_0000 ? 0 : .nan
        }
        let maximum = Float(bitPattern: magnitude)
        let factor = 127 / maximum
        for i in 0..<count { values[i] = Int8((x[i] * factor).rounded(.toNearestOrEven)) }
        for i in count..<size { values[i] = 0 }
        return maximum / 127
    }
}
