// The scalar product kernels.

package import InferGGUF

extension ReferenceKernels {
    package func weights(_ type: TensorType) -> WeightKernel? { product(type).map { WeightKernel(multiply: $0) } }

    private func product(_ type: TensorType) -> ProductKernel? {
        switch type {
        case .f32: { Self.multiply($0) { Float(at: $0, $1) } }
        case .f16: { Self.multiply($0) { Float(halfAt: $0 + 2 * $1) } }
        case .bf16: { Self.multiply($0) { Float(brainAt: $0 + 2 * $1) } }
        case .q4_0: { Self.multiply($0, Q4_0.self) }
        case .q4_1: { Self.multiply($0, Q4_1.self) }
        case .q5_0: { Self.multiply($0, Q5_0.self) }
        case .q5_1: { Self.multiply($0, Q5_1.self) }
        case .q8_0: { Self.multiply($0, Q8_0.self) }
        case .iq4_nl: { Self.multiply($0, IQ4_NL.self) }
        case .mxfp4: { Self.multiply($0, MXFP4.self) }
        case .q2_K: { Self.multiply($0, Q2_K.self) }
        case .q3_K: { Self.multiply($0, Q3_K.self) }
        case .q4_K: { Self.multiply($0, Q4_K.self) }
        case .q5_K: { Self.multiply($0, Q5_K.self) }
        case .q6_K: { Self.multiply($0, Q6_K.self) }
        case .iq4_xs: { Self.multiply($0, IQ4_XS.self) }
        default: nil
        }
    }

    /// Float weights: sixteen partial sums over k mod 16, k padded with zeros.
    @inline(__always)
    private static func multiply(_ product: Product, _ weight: (UnsafeRawPointer, Int) -> Float) {
        for r in 0..<product.rows {
            let row = product.weights + r * product.weightStride
            for c in 0..<product.columns {
                let input = product.input(c)
                product.output(c)[r] = ReferenceMath.sum16 { lanes in
                    for i in 0..<product.k { lanes[i % 16].addProduct(weight(row, i), Float(at: input, i)) }
                    // A sum that underflowed to −0 turns to +0 here, as it does in a padded vector.
                    for i in product.k..<(product.k + 15) / 16 * 16 { lanes[i % 16] += 0 }
                }
            }
        }
    }

    /// Blocks of 32: exact integer sums, one chain of fused multiply–adds over the blocks.
    private static func multiply<Format: BlockFormat32>(_ product: Product, _: Format.Type) {
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: 32) { buffer in
            guard let quanta = buffer.baseAddress else { return }
            for r in 0..<product.rows {
                let row = product.weights + r * product.weightStride
                for c in 0..<product.columns { product.output(c)[r] = 0 }
                for b in 0..<product.k / 32 {
                    let (scale, minimum) = Format.unpack(row + b * Format.byteCount, into: quanta)
                    for c in 0..<product.columns {
                        let block = product.input(c) + b * InputFormat.Block32.byteCount
                        let inputScale = block.load(as: Float.self)
                        let values = (block + InputFormat.Block32.values).assumingMemoryBound(to: Int8.self)
                        var total: Int32 = 0
                        for i in 0..<32 { total &+= Int32(quanta[i]) &* Int32(values[i]) }
                        var sum = product.output(c)[r].addingProduct(scale * inputScale, Float(total))
                        if Format.hasMinimum {
                            sum.addProduct(
                                minimum, block.load(fromByteOffset: InputFormat.Block32.scaledSum, as: Float.self))
                        }
                        product.output(c)[r] = sum
                    }
                }
            }
        }
    }

    /// Blocks of 256: group sums times integer scales, exactly, then one or two fused multiply–adds per block.
    private static func multiply<Format: BlockFormat256>(_ product: Product, _: Format.Type) {
        Format.withBuffers { quanta, scales, minima in
            for r in 0..<product.rows {
                let row = product.weights + r * product.weightStride
                for c in 0..<product.columns { product.output(c)[r] = 0 }
                for b in 0..<product.k / 256 {
                    let (scale, minimum) = Format.unpack(
                        row + b * Format.byteCount, into: quanta, scales: scales, minima: minima)
                    for c in 0..<product.columns {
                        let block = product.input(c) + b * InputFormat.Block256.byteCount
                        let inputScale = block.load(as: Float.self)
                        let values = (block + InputFormat.Block256.values).assumingMemoryBound(to: Int8.self)
                        var total: Int32 = 0
                        var below: Int32 = 0
                        for group in 0..<16 {
                            var groupTotal: Int32 = 0
                            for i in group * 16..<group * 16 + 16 {
                                groupTotal &+= Int32(quanta[i]) &* Int32(values[i])
                            }
                            total &+= groupTotal &* Int32(scales[group])
                            if Format.hasMinima {
                                let groupSum = block.load(
                                    fromByteOffset: InputFormat.Block256.sums + 2 * group, as: Int16.self)
                                below &+= Int32(groupSum) &* Int32(minima[group])
                            }
                        }
                        var sum = product.output(c)[r].addingProduct(scale * inputScale, Float(total))
                        if Format.hasMinima { sum.addProduct(-(minimum * inputScale), Float(below)) }
                        product.output(c)[r] = sum
                    }
                }
            }
        }
    }
}
