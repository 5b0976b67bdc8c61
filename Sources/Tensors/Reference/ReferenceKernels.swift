// The scalar kernels: elementwise operations, norms, softmax and rotation of one row.

/// Every kernel in plain Swift: what the tuned ones are tested against, and what runs where there are none.
package struct ReferenceKernels: KernelSet {
    /// They have no state.
    package init() {}

    package var name: String { "reference" }

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
            let block = i / LikeliestTokens.blockLength
            if i % LikeliestTokens.blockLength == 0 { maxima[block] = -.infinity }
            if x[i] > maxima[block] { maxima[block] = x[i] }
        }
    }

    package func exp(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        for i in 0..<count { y[i] = ReferenceMath.exp(x[i]) }
    }

    package func tanh(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        for i in 0..<count { y[i] = ReferenceMath.tanh(x[i]) }
    }
}
