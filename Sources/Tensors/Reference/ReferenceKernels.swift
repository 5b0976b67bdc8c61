// The scalar kernels that work on one row (norms, softmax, rotation, activations), and the functions that all scalar
// kernels share.

/// Every kernel in plain Swift. Tests compare the tuned kernels with these; processors without a tuned variant run
/// these.
package struct ReferenceKernels: KernelSet {
    package init() {}

    package var name: String { "reference" }

    package var warning: String? {
        "scalar kernels, 7 to 10 times slower than those for x86-64 with AVX2, FMA and F16C, and for arm64"
    }

    package func softmax(
        _ count: Int, _ scores: UnsafeMutablePointer<Float>, scale: Float, cap: Float, sink: Float
    ) -> Float {
        var maximum = sink
        for i in 0..<count {
            var score = scores[i] * scale
            if cap > 0 { score = cap * ReferenceMath.tanh(score / cap) }
            scores[i] = score
            if score > maximum { maximum = score }
        }
        let sum = ReferenceMath.sum16 { lanes in
            for i in 0..<count {
                let e = ReferenceMath.exp(scores[i] - maximum)
                scores[i] = e
                lanes[i % 16] += e
            }
        }
        return sink == -.infinity ? sum : sum + ReferenceMath.exp(sink - maximum)
    }

    package func rmsNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, epsilon: Float,
        into y: UnsafeMutablePointer<Float>
    ) {
        let sum = ReferenceMath.sum16 { lanes in
            for i in 0..<count { lanes[i % 16].addProduct(x[i], x[i]) }
        }
        let r = 1 / (sum / Float(count) + epsilon).squareRoot()
        for i in 0..<count { y[i] = x[i] * r * weight[i] }
    }

    package func layerNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        epsilon: Float, into y: UnsafeMutablePointer<Float>
    ) {
        let mean =
            ReferenceMath.sum16 { lanes in
                for i in 0..<count { lanes[i % 16] += x[i] }
            } / Float(count)
        let squares = ReferenceMath.sum16 { lanes in
            for i in 0..<count { lanes[i % 16].addProduct(x[i] - mean, x[i] - mean) }
        }
        let r = 1 / (squares / Float(count) + epsilon).squareRoot()
        for i in 0..<count {
            let n = (x[i] - mean) * r
            y[i] = if let bias { bias[i].addingProduct(n, weight[i]) } else { n * weight[i] }
        }
    }

    package func rotate(
        _ pairs: Int, _ x: UnsafeMutablePointer<Float>, by rotation: UnsafePointer<Float>, _ pairing: RotaryPairing
    ) {
        for i in 0..<pairs {
            let (first, second) =
                switch pairing {
                case .adjacent: (2 * i, 2 * i + 1)
                case .halves: (i, i + pairs)
                }
            let a = x[first], b = x[second], cosine = rotation[2 * i], sine = rotation[2 * i + 1]
            x[first] = (-(b * sine)).addingProduct(a, cosine)
            x[second] = (b * cosine).addingProduct(a, sine)
        }
    }

    package func gate(
        _ count: Int, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>?, _ activation: Activation,
        into y: UnsafeMutablePointer<Float>
    ) {
        for i in 0..<count {
            let g = gate[i]
            switch activation {
            case .silu:
                let value = Self.swish(g, g)
                y[i] = if let up { value * up[i] } else { value }
            case .gelu:
                let t = 0.7978845608 * g.addingProduct(0.044715 * (g * g), g)
                let value = Self.swish(g, t + t)
                y[i] = if let up { value * up[i] } else { value }
            case .identity: y[i] = if let up { g * up[i] } else { g }
            case .sigmoid:
                let value = Self.swish(1, g)
                y[i] = if let up { value * up[i] } else { value }
            case .softplus:
                let value = ReferenceMath.softplus(g)
                y[i] = if let up { value * up[i] } else { value }
            case .squaredReLU:
                let positive = 0 > g ? 0 : g
                let value = positive * positive
                y[i] = if let up { value * up[i] } else { value }
            case .clampedSwiGLU:
                let limited = 7 < g ? 7 : g
                let value = Self.swish(limited, 1.702 * limited)
                guard let up else {
                    y[i] = value
                    continue
                }
                let u = 7 < up[i] ? 7 : up[i]
                y[i] = value * ((-7 > u ? -7 : u) + 1)
            }
        }
    }

    /// x / (1 + exp(−t))
    private static func swish(_ x: Float, _ t: Float) -> Float { x / (1 + ReferenceMath.exp(-t)) }

    package func softCap(_ count: Int, _ x: UnsafeMutablePointer<Float>, cap: Float) {
        for i in 0..<count { x[i] = cap * ReferenceMath.tanh(x[i] / cap) }
    }

    package func addScaled(_ count: Int, _ x: UnsafePointer<Float>, scale: Float, to y: UnsafeMutablePointer<Float>) {
        for i in 0..<count { y[i].addProduct(scale, x[i]) }
    }

    package func scale(_ count: Int, _ x: UnsafeMutablePointer<Float>, by scale: Float) {
        for i in 0..<count { x[i] = scale * x[i] }
    }

    package func maxima(_ count: Int, _ x: UnsafePointer<Float>, into maxima: UnsafeMutablePointer<Float>) {
        for i in 0..<count {
            let block = i / TopTokenBuffers.blockLength
            if i % TopTokenBuffers.blockLength == 0 { maxima[block] = -.infinity }
            if x[i] > maxima[block] { maxima[block] = x[i] }
        }
    }

    package func convolve(
        _ count: Int, _ inputs: UnsafeBufferPointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>?, activates: Bool, into y: UnsafeMutablePointer<Float>
    ) {
        for c in 0..<count {
            var sum: Float = 0
            for (j, input) in inputs.enumerated() { sum.addProduct(weights[j * count + c], input[c]) }
            if let bias { sum += bias[c] }
            y[c] = activates ? Self.swish(sum, sum) : sum
        }
    }

    package func scan(_ s: Scan) {
        for column in 0..<s.count {
            let state = s.state + column / 16 * 16 * s.keyLength + column % 16
            func decay(_ i: Int) -> Float { s.decay[s.decaysPerKey ? i : 0] }
            var d = s.value[column]
            if let beta = s.beta {
                var known: Float = 0
                for i in 0..<s.keyLength { known.addProduct(state[16 * i] * decay(i), s.key[i]) }
                d = beta * (d - known)
            }
            var sum: Float = 0
            for i in 0..<s.keyLength {
                state[16 * i] = (state[16 * i] * decay(i)).addingProduct(s.key[i], d)
                if let query = s.query { sum.addProduct(state[16 * i], query[i]) }
            }
            s.output?[column] = sum * s.scale
        }
    }

    package func exp(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        for i in 0..<count { y[i] = ReferenceMath.exp(x[i]) }
    }

    package func tanh(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        for i in 0..<count { y[i] = ReferenceMath.tanh(x[i]) }
    }
}

/// Scalar exp, tanh and sums of sixteen lanes. The C kernels compute the same chains (`body/vector16_math.inc`).
enum ReferenceMath {
    /// exp(x) = 2^n · exp(r), n = round(x · log₂e), r = x − n · ln 2 in two steps; exp(r) = 1 + (r + r² · Q(r)), Q a
    /// minimax polynomial of degree 4. Results below 2⁻¹²⁶ are rounded once; no input traps.
    static func exp(_ x: Float) -> Float {
        // Comparisons with NaN are false, so NaN passes both.
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

    /// ln(1 + exp(x)) = max(x, 0) + ln(1 + t), t = exp(−|x|); ln(1 + t) = 2 artanh(s), s = t / (2 + t) ≤ ⅓, by its series up to s¹⁵.
    static func softplus(_ x: Float) -> Float {
        let t = exp(-Float(bitPattern: x.bitPattern & 0x7fff_ffff))
        let s = t / (2 + t)
        let z = s * s
        var p: Float = 1 / 15
        for divisor: Float in [13, 11, 9, 7, 5, 3, 1] { p = (1 / divisor).addingProduct(p, z) }
        return (0 > x ? 0 : x).addingProduct(s + s, p)
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
