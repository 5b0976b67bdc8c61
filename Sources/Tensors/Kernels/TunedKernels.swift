// The C kernels for this processor's instruction set.

import CInferKernels
package import InferGGUF

/// The kernels of `Kernels/CPU` for one of the instruction sets that this processor has.
package struct TunedKernels: KernelSet, @unchecked Sendable {
    /// A constant of the C target.
    let table: UnsafePointer<si_kernels>
    /// Whether a BLAS library multiplies weights of types without a C kernel, where there is one.
    private let usesBLAS: Bool

    /// The fastest variant, or the one of that name; nil if this processor cannot run it.
    package init?(_ name: String? = nil, usesBLAS: Bool = false) {
        self.usesBLAS = usesBLAS
        let tables = (0..<Int(SI_TABLES)).lazy.compactMap { si_kernels_for_this_processor($0) }
        guard let table = tables.first(where: { name == nil || String(cString: $0.pointee.name) == name }) else {
            return nil
        }
        self.table = table
    }

    /// The names of the variants that this processor can run, the fastest first.
    package static var names: [String] {
        (0..<Int(SI_TABLES)).compactMap { si_kernels_for_this_processor($0).map { String(cString: $0.pointee.name) } }
    }

    package var name: String { String(cString: table.pointee.name) }

    /// The C kernel of a type. A registered type without a C kernel is multiplied by its Swift twin, which gives the
    /// same bits, unless a BLAS library is to do that.
    package func weights(_ type: TensorType) -> WeightKernel? {
        guard let format = TensorFormat(type) else { return nil }
        guard let weights = si_weights_for(table, type.rawValue)?.pointee, let pack = weights.pack else {
            return (usesBLAS ? try? BLASKernels().weights(type) : nil) ?? ReferenceKernels().weights(type)
        }
        return WeightKernel(
            input: format.input, panelRows: Int(weights.panel_rows), blockSize: Int(weights.block_size),
            panelBlockBytes: Int(weights.panel_block_bytes), pack: { pack($0, $1, $2, $3, $4) },
            multiply: Self.kernel(weights.multiply))
    }

    private static func kernel(_ multiply: @escaping @convention(c) (UnsafePointer<si_product>?) -> Void)
        -> ProductKernel
    {
        { product in
            var operands = si_product(
                k: product.k, rows: product.rows, columns: product.columns, weights: product.weights,
                weight_stride: product.weightStride, inputs: product.inputs, input_stride: product.inputStride,
                input_rows: product.inputRows, outputs: product.outputs, output_stride: product.outputStride,
                output_rows: product.outputRows)
            multiply(&operands)
        }
    }

    package func quantize(
        _ count: Int, _ x: UnsafePointer<Float>, as format: InputFormat, into blocks: UnsafeMutableRawPointer
    ) {
        switch format {
        case .float: blocks.copyMemory(from: x, byteCount: count * 4)
        case .blocks32: table.pointee.quantize_32(count, x, blocks)
        case .blocks256: table.pointee.quantize_256(count, x, blocks)
        }
    }

    package func score(_ s: Scoring, _ type: KVCacheType) {
        let kernel =
            switch type {
            case .f32: table.pointee.score_f32
            case .f16: table.pointee.score_f16
            case .q8_0: table.pointee.score_q8_0
            }
        var operands = si_scoring(
            dimension: s.dimension, panels: s.panels, keys: s.keys, count: s.count, queries: s.queries,
            query_stride: s.queryStride, scores: s.scores, score_stride: s.scoreStride)
        kernel?(&operands)
    }

    package func accumulate(_ a: Accumulation, _ type: KVCacheType) {
        let kernel =
            switch type {
            case .f32: table.pointee.accumulate_f32
            case .f16: table.pointee.accumulate_f16
            case .q8_0: table.pointee.accumulate_q8_0
            }
        var operands = si_accumulation(
            dimension: a.dimension, count: a.count, values: a.values, value_stride: a.valueStride, rows: a.rows,
            queries: a.queries, weights: a.weights, weight_stride: a.weightStride, outputs: a.outputs,
            output_stride: a.outputStride)
        kernel?(&operands)
    }

    package func softmax(
        _ count: Int, _ scores: UnsafeMutablePointer<Float>, scale: Float, cap: Float, sink: Float
    ) -> Float {
        table.pointee.softmax(count, scores, scale, cap, sink)
    }

    package func rmsNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, epsilon: Float,
        into y: UnsafeMutablePointer<Float>
    ) {
        table.pointee.rms_norm(count, x, weight, epsilon, y)
    }

    package func layerNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        epsilon: Float, into y: UnsafeMutablePointer<Float>
    ) {
        table.pointee.layer_norm(count, x, weight, bias, epsilon, y)
    }

    package func rotate(
        _ pairs: Int, _ x: UnsafeMutablePointer<Float>, by rotation: UnsafePointer<Float>, _ pairing: RotaryPairing
    ) {
        switch pairing {
        case .adjacent: table.pointee.rotate_adjacent(pairs, x, rotation)
        case .halves: table.pointee.rotate_halves(pairs, x, rotation)
        }
    }

    package func gate(
        _ count: Int, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>?, _ activation: Activation,
        into y: UnsafeMutablePointer<Float>
    ) {
        switch activation {
        case .silu: table.pointee.gate_silu(count, gate, up, y)
        case .gelu: table.pointee.gate_gelu(count, gate, up, y)
        case .identity: table.pointee.gate_identity(count, gate, up, y)
        case .sigmoid: table.pointee.gate_sigmoid(count, gate, up, y)
        case .softplus: table.pointee.gate_softplus(count, gate, up, y)
        case .squaredReLU: table.pointee.gate_squared_relu(count, gate, up, y)
        case .clampedSwiGLU: table.pointee.gate_clamped(count, gate, up, y)
        }
    }

    package func softCap(_ count: Int, _ x: UnsafeMutablePointer<Float>, cap: Float) {
        table.pointee.soft_cap(count, x, cap)
    }

    package func addScaled(_ count: Int, _ x: UnsafePointer<Float>, scale: Float, to y: UnsafeMutablePointer<Float>) {
        table.pointee.add_scaled(count, x, scale, y)
    }

    package func scale(_ count: Int, _ x: UnsafeMutablePointer<Float>, by scale: Float) {
        table.pointee.scale(count, x, scale)
    }

    package func maxima(_ count: Int, _ x: UnsafePointer<Float>, into maxima: UnsafeMutablePointer<Float>) {
        table.pointee.maxima(count, x, maxima)
    }

    package func store(_ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into y: UnsafeMutableRawPointer) {
        switch type {
        case .f32: y.copyMemory(from: x, byteCount: count * 4)
        case .f16: table.pointee.store_f16(count, x, y)
        case .q8_0: table.pointee.store_q8_0(count, x, y)
        }
    }

    package func storeKey(
        _ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into panel: UnsafeMutableRawPointer, lane: Int
    ) {
        switch type {
        case .f32: table.pointee.store_key_f32(count, x, panel, lane)
        case .f16: table.pointee.store_key_f16(count, x, panel, lane)
        case .q8_0: table.pointee.store_key_q8_0(count, x, panel, lane)
        }
    }

    package func convolve(
        _ count: Int, _ inputs: UnsafeBufferPointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>?, activates: Bool, into y: UnsafeMutablePointer<Float>
    ) {
        inputs.withMemoryRebound(to: UnsafePointer<Float>?.self) {
            table.pointee.convolve(count, $0.count, $0.baseAddress, weights, bias, activates, y)
        }
    }

    package func scan(_ s: Scan) {
        var operands = si_scan(
            keys: s.keyLength, columns: s.count, state: s.state, key: s.key, decay: s.decay,
            decay_stride: s.decaysPerKey ? 1 : 0, value: s.value, uses_delta: s.beta != nil, beta: s.beta ?? 0,
            query: s.query, scale: s.scale, output: s.output)
        table.pointee.scan(&operands)
    }

    package func exp(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        table.pointee.exp(count, x, y)
    }

    package func tanh(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        table.pointee.tanh(count, x, y)
    }
}

// MARK: Peak rates, which benchmarks compare the kernels with

extension TunedKernels {
    /// Multiplies and adds bytes in registers only, `rounds` times; returns the number of products.
    package func multiplyBytes(rounds: Int) -> Int { Int(table.pointee.peak_of_bytes(rounds)) }

    /// Multiplies and adds f32 values in registers only, `rounds` times; returns the number of products.
    package func multiplyFloats(rounds: Int) -> Int { Int(table.pointee.peak_of_floats(rounds)) }

    /// Reads bytes in whole vectors and discards them.
    package func read(_ count: Int, _ bytes: UnsafeRawPointer) { table.pointee.read(count, bytes) }
}
