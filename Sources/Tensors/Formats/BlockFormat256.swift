// What distinguishes one weight format of 256-element super-blocks from another.

/// A format whose super-blocks hold 16 groups of 16 quanta q, a scale s and perhaps a minimum m per group, and factors
/// d and d′ for all of them: value = d · s · q (− d′ · m).
protocol BlockFormat256: SendableMetatype {
    /// Bytes of a super-block in the file.
    static var byteCount: Int { get }
    /// Whether groups have minima.
    static var hasMinima: Bool { get }
    /// Unpacks a super-block's 256 signed quanta, 16 scales and, where it has them, 16 minima; returns d and d′.
    static func unpack(
        _ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Int16>,
        minima: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, minimum: Float)
}

extension BlockFormat256 {
    static var hasMinima: Bool { false }

    /// The value of `count` elements, a multiple of 256.
    static func dequantize(_ count: Int, _ blocks: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
        withBuffers { quanta, scales, minima in
            for block in 0..<count / 256 {
                let (scale, minimum) = unpack(
                    blocks + block * byteCount, into: quanta, scales: scales, minima: minima)
                for group in 0..<16 {
                    let groupScale = scale * Float(scales[group])
                    let groupMinimum = hasMinima ? minimum * Float(minima[group]) : 0
                    for i in group * 16..<group * 16 + 16 {
                        let value = groupScale * Float(quanta[i])
                        values[block * 256 + i] = hasMinima ? value - groupMinimum : value
                    }
                }
            }
        }
    }

    /// Lends room for one unpacked super-block: 256 quanta, 16 scales, 16 minima.
    static func withBuffers(
        _ body: (UnsafeMutablePointer<Int8>, UnsafeMutablePointer<Int16>, UnsafeMutablePointer<Int16>) -> Void
    ) {
        withUnsafeTemporaryAllocation(byteCount: 256 + 64, alignment: 16) { buffer in
            guard let base = buffer.baseAddress else { return }
            let scales = (base + 256).bindMemory(to: Int16.self, capacity: 32)
            body(base.bindMemory(to: Int8.self, capacity: 256), scales, scales + 16)
        }
    }
}

/// Unpacks Q4_K's and Q5_K's eight 6-bit scales and minima, each for two groups of 16. The first four of either are
/// plain bytes; the others' low nibbles share four bytes, and their upper two bits are the top of the plain bytes.
func unpackSixBits(
    _ bytes: UnsafeRawPointer, scales: UnsafeMutablePointer<Int16>, minima: UnsafeMutablePointer<Int16>
) {
    func byte(_ i: Int) -> Int16 { Int16(bytes.load(fromByteOffset: i, as: UInt8.self)) }
    for i in 0..<4 {
        scales[2 * i] = byte(i) & 63
        minima[2 * i] = byte(i + 4) & 63
        scales[2 * i + 8] = byte(i + 8) & 15 | (byte(i) >> 6) << 4
        minima[2 * i + 8] = byte(i + 8) >> 4 | (byte(i + 4) >> 6) << 4
    }
    for i in 0..<8 {
        scales[2 * i + 1] = scales[2 * i]
        minima[2 * i + 1] = minima[2 * i]
    }
}
