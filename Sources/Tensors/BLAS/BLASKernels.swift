// The kernel set whose products a BLAS library computes.

package import InferGGUF
package import InferSupport

/// Products by a BLAS library, with weights converted to f32; all other kernels are those of another set.
///
/// Activations are not quantised for its products, so its bits are not those of the other sets. They do not depend on
/// the number of columns, on neighbours, chunks or threads: see ``BLASProduct``.
package struct BLASKernels: KernelSet {
    private let product: BLASProduct
    /// The set with all other kernels.
    private let others: any KernelSet

    /// Products by the library of the system, which is looked for once; all else by the fastest other kernels.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if there is no library, or it cannot be used.
    package init() throws(InferenceError) {
        product = try Self.systemProduct.get()
        others = TunedKernels() ?? ReferenceKernels()
    }

    private static let systemProduct = Result { () throws(InferenceError) in
        try BLASProduct(BLASLibrary.system.get())
    }

    package var name: String { BLASLibrary.kernelName }
    package var hasReferenceBits: Bool { false }

    package var warning: String? {
        guard others is ReferenceKernels else { return nil }
        return "this processor has no tuned kernels: a library computes the products, scalar kernels all else"
    }

    package func weights(_ type: TensorType) -> WeightKernel? { TensorFormat(type).map(product.kernel) }

    package func quantize(
        _ count: Int, _ x: UnsafePointer<Float>, as format: InputFormat, into blocks: UnsafeMutableRawPointer
    ) {
        others.quantize(count, x, as: format, into: blocks)
    }

    package func score(_ operands: Scoring, _ type: KVCacheType) { others.score(operands, type) }

    package func accumulate(_ operands: Accumulation, _ type: KVCacheType) { others.accumulate(operands, type) }

    package func softmax(
        _ count: Int, _ scores: UnsafeMutablePointer<Float>, scale: Float, cap: Float, sink: Float
    ) -> Float {
        others.softmax(count, scores, scale: scale, cap: cap, sink: sink)
    }

    package func rmsNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, epsilon: Float,
        into y: UnsafeMutablePointer<Float>
    ) {
        others.rmsNorm(count, x, weight, epsilon: epsilon, into: y)
    }

    package func layerNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        epsilon: Float, into y: UnsafeMutablePointer<Float>
    ) {
        others.layerNorm(count, x, weight, bias, epsilon: epsilon, into: y)
    }

    package func rotate(
        _ pairs: Int, _ x: UnsafeMutablePointer<Float>, by rotation: UnsafePointer<Float>, _ pairing: RotaryPairing
    ) {
        others.rotate(pairs, x, by: rotation, pairing)
    }

    package func gate(
        _ count: Int, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>?, _ activation: Activation,
        into y: UnsafeMutablePointer<Float>
    ) {
        others.gate(count, gate, up, activation, into: y)
    }

    package func softCap(_ count: Int, _ x: UnsafeMutablePointer<Float>, cap: Float) {
        others.softCap(count, x, cap: cap)
    }

    package func addScaled(_ count: Int, _ x: UnsafePointer<Float>, scale: Float, to y: UnsafeMutablePointer<Float>) {
        others.addScaled(count, x, scale: scale, to: y)
    }

    package func scale(_ count: Int, _ x: UnsafeMutablePointer<Float>, by scale: Float) {
        others.scale(count, x, by: scale)
    }

    package func maxima(_ count: Int, _ x: UnsafePointer<Float>, into maxima: UnsafeMutablePointer<Float>) {
        others.maxima(count, x, into: maxima)
    }

    package func store(_ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into y: UnsafeMutableRawPointer) {
        others.store(count, x, as: type, into: y)
    }

    package func storeKey(
        _ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into panel: UnsafeMutableRawPointer, lane: Int
    ) {
        others.storeKey(count, x, as: type, into: panel, lane: lane)
    }

    package func convolve(
        _ count: Int, _ inputs: UnsafeBufferPointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>?, activates: Bool, into y: UnsafeMutablePointer<Float>
    ) {
        others.convolve(count, inputs, weights, bias, activates: activates, into: y)
    }

    package func scan(_ operands: Scan) { others.scan(operands) }

    package func exp(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        others.exp(count, x, into: y)
    }

    package func tanh(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
        others.tanh(count, x, into: y)
    }
}
