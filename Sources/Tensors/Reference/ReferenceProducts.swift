// The scalar kernels that quantise activations and multiply them by weights.

package import InferGGUF

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

    /// The nearest f16; `x` itself if it is outside the range of normal f16 numbers.
    private static func roundedToHalf(_ x: Float) -> Float {
        let half = Float(halfBits: x.halfBits)
        return x.magnitude >= 0x1p-14 && !half.isInfinite ? half : x
    }

    private static func sum(_ values: UnsafePointer<Int8>, _ count: Int) -> Int32 {
        var sum: Int32 = 0
        for i in 0..<count { sum &+= Int32(values[i]) }
        return sum
    }

    /// Quantises `count` values to one block of `size` values, padded with zeros; returns its scale.
    static func quantizeBlock(
        _ count: Int, _ x: UnsafePointer<Float>, size: Int, into values: UnsafeMutablePointer<Int8>
    ) -> Float {
        // Bit patterns have the order of the magnitudes; NaN is above all.
        var magnitude: UInt32 = 0
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

extension ReferenceKernels {
    package func weights(_ type: TensorType) -> WeightKernel? {
        TensorFormat(type).map { WeightKernel(input: $0.input, multiply: $0.referenceProduct) }
    }

    /// Float weights: sixteen partial sums by k mod 16; k is padded with zeros.
    static func multiply<Format: FloatFormat>(_ product: Product, _: Format.Type) {
        for r in 0..<product.rows {
            let row = product.weights + r * product.weightStride
            for c in 0..<product.columns {
                let input = product.input(c)
                product.output(c)[r] = ReferenceMath.sum16 { lanes in
                    for i in 0..<product.k { lanes[i % 16].addProduct(Format.value(row, i), Float(at: input, i)) }
                    // In a padded vector, adding 0 turns a sum of −0 into +0. Do the same here.
                    for i in product.k..<(product.k + 15) / 16 * 16 { lanes[i % 16] += 0 }
                }
            }
        }
    }

    /// Blocks of 32: exact integer sums, then one chain of fused multiply–adds over the blocks.
    static func multiply<Format: BlockFormat32>(_ product: Product, _: Format.Type) {
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

    /// Blocks of 256: exact group sums times integer scales, then one or two fused multiply–adds per block.
    static func multiply<Format: BlockFormat256>(_ product: Product, _: Format.Type) {
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
