// The scalar kernels that write and read the key–value cache.

extension ReferenceKernels {
    package func store(_ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into y: UnsafeMutableRawPointer) {
        switch type {
        case .f32:
            y.copyMemory(from: x, byteCount: count * 4)
        case .f16:
            for i in 0..<count { y.storeBytes(of: x[i].halfBits, toByteOffset: 2 * i, as: UInt16.self) }
        case .q8_0:
            for (index, start) in stride(from: 0, to: count, by: 32).enumerated() {
                let block = y + index * 34
                let values = (block + 2).assumingMemoryBound(to: Int8.self)
                let scale = Self.quantizeBlock(min(32, count - start), x + start, size: 32, into: values)
                block.storeBytes(of: scale.halfBits, as: UInt16.self)
            }
        }
    }

    package func storeKey(
        _ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into panel: UnsafeMutableRawPointer, lane: Int
    ) {
        switch type {
        case .f32:
            for i in 0..<count { panel.storeBytes(of: x[i], toByteOffset: 4 * (16 * i + lane), as: Float.self) }
        case .f16:
            for i in 0..<count {
                panel.storeBytes(of: x[i].halfBits, toByteOffset: 2 * (16 * i + lane), as: UInt16.self)
            }
        case .q8_0:
            withUnsafeTemporaryAllocation(byteCount: 34, alignment: 2) { block in
                guard let stored = block.baseAddress else { return }
                for start in stride(from: 0, to: count, by: 32) {
                    store(32, x + start, as: .q8_0, into: stored)
                    let place = panel + start / 32 * KeyPanel.blockBytes
                    KeyPanel.setBlock(place, lane, UnsafeRawPointer(stored))
                }
            }
        }
    }

    package func score(_ s: Scoring, _ type: KVCacheType) {
        let panelBytes = KeyPanel.byteCount(s.dimension, type)
        for q in 0..<s.count {
            let query = s.queries + q * s.queryStride
            for p in 0..<s.panels {
                for lane in 0..<16 {
                    let panel = s.keys + p * panelBytes
                    s.scores[q * s.scoreStride + 16 * p + lane] =
                        type == .q8_0
                        ? Self.quantisedScore(s.dimension, panel, lane, query)
                        : Self.score(s.dimension, panel, lane, query, isHalf: type == .f16)
                }
            }
        }
    }

    /// One chain of fused multiply–adds over the dimensions.
    private static func score(
        _ dimension: Int, _ panel: UnsafeRawPointer, _ lane: Int, _ query: UnsafeRawPointer, isHalf: Bool
    ) -> Float {
        var sum: Float = 0
        for d in 0..<dimension {
            let index = 16 * d + lane
            sum.addProduct(Float(at: query, d), isHalf ? Float(halfAt: panel + 2 * index) : Float(at: panel, index))
        }
        return sum
    }

    /// As in a product with Q8_0 weights: exact integer sums, then one chain of fused multiply–adds over the blocks.
    private static func quantisedScore(
        _ dimension: Int, _ panel: UnsafeRawPointer, _ lane: Int, _ query: UnsafeRawPointer
    ) -> Float {
        var sum: Float = 0
        for b in 0..<dimension / 32 {
            let keys = panel + b * KeyPanel.blockBytes
            let inputs = query + b * InputFormat.Block32.byteCount
            var total: Int32 = 0
            for d in 0..<32 {
                let key = keys.load(fromByteOffset: KeyPanel.offset(of: d, lane), as: Int8.self)
                let input = inputs.load(fromByteOffset: InputFormat.Block32.values + d, as: Int8.self)
                total &+= Int32(key) &* Int32(input)
            }
            sum.addProduct(Float(halfAt: keys + 2 * lane) * inputs.load(as: Float.self), Float(total))
        }
        return sum
    }

    package func accumulate(_ a: Accumulation, _ type: KVCacheType) {
        for j in 0..<a.count {
            let row = a.values + (a.rows.map { Int($0[j]) } ?? j) * a.valueStride
            for d in 0..<a.dimension {
                let value: Float
                switch type {
                case .f32: value = Float(at: row, d)
                case .f16: value = Float(halfAt: row + 2 * d)
                case .q8_0:
                    let block = row + d / 32 * 34
                    value = Float(halfAt: block) * Float(block.load(fromByteOffset: 2 + d % 32, as: Int8.self))
                }
                for q in 0..<a.queries {
                    a.outputs[q * a.outputStride + d].addProduct(a.weights[q * a.weightStride + j], value)
                }
            }
        }
    }
}
