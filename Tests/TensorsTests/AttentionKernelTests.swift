// The kernels of attention: equal bits of every instruction set and the scalar Swift kernels.

import InferTensors
import TestSupport
import Testing

struct AttentionKernelTests {
    /// Number of bytes of a panel of sixteen keys.
    private static func panelBytes(_ dimension: Int, _ type: KVCacheType) -> Int {
        switch type {
        case .f32: dimension * 64
        case .f16: dimension * 32
        case .q8_0: dimension / 32 * 544
        }
    }

    private static func dimensions(_ type: KVCacheType) -> [Int] {
        type == .q8_0 ? [32, 64, 96, 256] : [1, 5, 16, 33, 64, 77, 128]
    }

    /// Panels of keys, some of them not finite, stored by `kernels` over bytes that must not change elsewhere.
    private static func panels(
        _ kernels: any KernelSet, _ keys: [[Float]], _ type: KVCacheType, panels: Int
    ) -> [UInt8] {
        let size = panelBytes(keys[0].count, type)
        var bytes = [UInt8](repeating: 0xa5, count: panels * size + 64)
        bytes.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            for (slot, key) in keys.enumerated() {
                kernels.storeKey(key.count, key, as: type, into: start + slot / 16 * size, lane: slot % 16)
            }
        }
        return bytes
    }

    @Test(arguments: KVCacheType.allCases)
    func storedKeysAreTheSameInSwiftAndC(_ type: KVCacheType) {
        var source = SeededGenerator(20)
        for dimension in Self.dimensions(type) {
            var keys = (0..<37).map { _ in source.floats(dimension, range: 3) }
            keys[5][dimension / 2] = .infinity
            keys[20] = Array(repeating: 0x1p-130, count: dimension)
            let expected = Self.panels(ReferenceKernels(), keys, type, panels: 3)
            #expect(expected.suffix(64).allSatisfy { $0 == 0xa5 })
            for kernels in tunedKernelSets {
                #expect(Self.panels(kernels, keys, type, panels: 3) == expected, "\(kernels.name), \(dimension)")
            }
        }
    }

    @Test(arguments: KVCacheType.allCases)
    func scoresAreTheSameInSwiftAndC(_ type: KVCacheType) {
        var source = SeededGenerator(21)
        let format: InputFormat = type == .q8_0 ? .blocks32 : .float
        for dimension in Self.dimensions(type) {
            let panels = 1 + dimension % 7
            let keys = Self.panels(
                ReferenceKernels(), (0..<panels * 16).map { _ in source.floats(dimension, range: 2) }, type,
                panels: panels)
            for queries in 1...17 {
                let inputs = (0..<queries).map { _ in source.floats(dimension, range: 2) }
                let gap = 3
                let results = kernelSets.map { kernels -> [UInt32] in
                    let stride = format.rowBytes(dimension)
                    var rows = [UInt8](repeating: 0, count: queries * stride)
                    var scores = [Float](repeating: 7, count: queries * (panels * 16 + gap))
                    rows.withUnsafeMutableBytes { rows in
                        keys.withUnsafeBytes { keys in
                            scores.withUnsafeMutableBufferPointer { scores in
                                guard let start = rows.baseAddress, let first = keys.baseAddress,
                                    let out = scores.baseAddress
                                else { return }
                                for (query, input) in inputs.enumerated() {
                                    kernels.quantize(dimension, input, as: format, into: start + query * stride)
                                }
                                kernels.score(
                                    Scoring(
                                        dimension: dimension, panels: panels, keys: first, count: queries,
                                        queries: start, queryStride: stride, scores: out,
                                        scoreStride: panels * 16 + gap), type)
                            }
                        }
                    }
                    for query in 0..<queries {
                        let end = (query + 1) * (panels * 16 + gap)
                        #expect(scores[end - gap..<end].allSatisfy { $0 == 7 })
                    }
                    return scores.bits
                }
                for (kernels, result) in zip(kernelSets, results) {
                    #expect(result == results[0], "\(kernels.name): \(queries) × \(dimension) × \(panels)")
                }
            }
        }
    }

    @Test(arguments: KVCacheType.allCases)
    func weightedSumsAreTheSameInSwiftAndC(_ type: KVCacheType) {
        var source = SeededGenerator(13)
        for dimension in Self.dimensions(type) {
            for queries in 1...13 {
                let count = 11
                let stride = Self.panelBytes(dimension, type) / 16
                var values = [UInt8](repeating: 0, count: stride * count)
                for j in 0..<count {
                    let value = source.floats(dimension)
                    values.withUnsafeMutableBytes {
                        guard let start = $0.baseAddress else { return }
                        ReferenceKernels().store(dimension, value, as: type, into: start + j * stride)
                    }
                }
                let weights = source.floats(queries * count)
                let start = source.floats(queries * (dimension + 3))
                for rows in [nil, (0..<Int32(count)).map { $0 * $0 % Int32(count) }] {
                    let results = kernelSets.map {
                        Self.sums($0, type, dimension, values, stride, rows, weights, count, start)
                    }
                    for (kernels, result) in zip(kernelSets, results) {
                        #expect(result == results[0], "\(kernels.name): \(dimension) × \(queries)")
                        for query in 0..<queries {
                            let gap = query * (dimension + 3) + dimension..<(query + 1) * (dimension + 3)
                            #expect(Array(result[gap]) == Array(start[gap]).bits)
                        }
                    }
                    // The order of the list differs from the order of the rows.
                    if rows != nil, dimension > 1 {
                        let plain = Self.sums(
                            ReferenceKernels(), type, dimension, values, stride, nil, weights, count, start)
                        #expect(plain != results[0])
                    }
                }
            }
        }
    }

    private static func sums(
        _ kernels: any KernelSet, _ type: KVCacheType, _ dimension: Int, _ values: [UInt8], _ stride: Int,
        _ rows: [Int32]?, _ weights: [Float], _ count: Int, _ start: [Float]
    ) -> [UInt32] {
        var outputs = start
        outputs.withUnsafeMutableBufferPointer { outputs in
            values.withUnsafeBytes { values in
                weights.withUnsafeBufferPointer { weights in
                    (rows ?? []).withUnsafeBufferPointer { list in
                        guard let first = values.baseAddress, let factors = weights.baseAddress,
                            let out = outputs.baseAddress
                        else { return }
                        kernels.accumulate(
                            Accumulation(
                                dimension: dimension, count: count, values: first, valueStride: stride,
                                rows: rows == nil ? nil : list.baseAddress, queries: weights.count / count,
                                weights: factors, weightStride: count, outputs: out, outputStride: dimension + 3),
                            type)
                    }
                }
            }
        }
        return outputs.bits
    }
}
