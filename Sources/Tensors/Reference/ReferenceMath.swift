// Scalar exp, tanh and the sum of sixteen lanes: the float chains all kernels share.

/// The functions the kernels are built from; the C kernels compute the same chains (`body/vector.inc`).
enum ReferenceMath {
    /// exp(x) = 2^n · exp(r), n = round(x · log₂e), r = x − n · ln 2 in two steps; exp(r) = 1 + (r + r² · Q(r)), Q a
    /// minimax polynomial of degree 4. Results below 2⁻¹²⁶ are rounded once; no input traps.
    static func exp(_ x: Float) -> Float {
        // NaN compares false and passes both.
        var x = 89 < x ? 89 : x
        x = -104 > x ? -104 : x
        let magic: Float = 0x1.8p23
        let shifted = magic.addingProduct(x, 0x1.715476p+0)
        let n = shifted - magic
        var r = x.addingProduct(n, -0.693359375)
        r = r.addingProduct(n, 2.1219444e-4)
        var q: Float = 0x1.6a1a6ep-10
        q = Float(0x1.123fc6p-7).addingProduct(q, r)
        q = Float(0x1.555916p-5).addingProduct(q, r)
        q = Float(0x1.55548ap-3).addingProduct(q, r)
        q = Float(0x1.fffffcp-2).addingProduct(q, r)
        let p = 1 + r.addingProduct(r * r, q)
        let exponent = Int32(bitPattern: shifted.bitPattern &- magic.bitPattern)
        let half = exponent >> 1
        let rest = exponent &- half
        return p * power(half) * power(rest)
    }

    /// 2^exponent, for |exponent| < 127.
    private static func power(_ exponent: Int32) -> Float {
        Float(bitPattern: UInt32(bitPattern: (exponent &+ 127) &<< 23))
    }

    /// tanh(x): for |x| < 0.625, fma(x · x², P(x²), x), P a minimax polynomial of degree 5; else 1 − 2 / (exp(2|x|) +
    /// 1) with x's sign.
    static func tanh(_ x: Float) -> Float {
        let magnitude = Float(bitPattern: x.bitPattern & 0x7fff_ffff)
        if magnitude < 0.625 {
            let z = x * x
            var p: Float = 0x1.18e1c4p-9
            p = Float(-0x1.0bf4f6p-7).addingProduct(p, z)
            p = Float(0x1.638b56p-6).addingProduct(p, z)
            p = Float(-0x1.b9ee9p-5).addingProduct(p, z)
            p = Float(0x1.111066p-3).addingProduct(p, z)
            p = Float(-0x1.555554p-2).addingProduct(p, z)
            return x.addingProduct(x * z, p)
        }
        let large = 1 - 2 / (exp(magnitude + magnitude) + 1)
        return Float(bitPattern: large.bitPattern | x.bitPattern & 0x8000_0000)
    }

    /// Sixteen partial sums, filled by `body`, then added in pairs at distance 8, 4, 2, 1.
    @inline(__always)
    static func sum16(_ body: (_ lanes: UnsafeMutableBufferPointer<Float>) -> Void) -> Float {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { lanes in
            lanes.initialize(repeating: 0)
            body(lanes)
            var distance = 8
            while distance > 0 {
                for i in 0..<distance { lanes[i] += lanes[i + distance] }
                distance /= 2
            }
            return lanes[0]
        }
    }
}
