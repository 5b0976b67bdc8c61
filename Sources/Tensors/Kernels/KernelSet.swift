// The kernels the CPU backend is made of, in one of two implementations that give the same bits.

package import InferGGUF

/// One implementation of every kernel. Formulas, shapes and the order of float operations are those of `ckernels.h`,
/// which holds for the Swift twins as much as for the C ones.
package protocol KernelSet: Sendable {
    /// The name `doctor` and benchmarks show, such as `avx2`.
    var name: String { get }

    /// How weights of a type are multiplied, or nil where the type is not supported.
    func weights(_ type: TensorType) -> WeightKernel?

    /// Quantises a row of activations into blocks of 32 or 256.
    func quantize(_ count: Int, _ x: UnsafePointer<Float>, as format: InputFormat, into blocks: UnsafeMutableRawPointer)

    /// Scores of queries against panels of keys in the cache's type.
    func score(_ operands: Scoring, _ type: KVCacheType)

    /// y += p · v over `count` rows of values in the cache's type, for several queries.
    func accumulate(_ operands: Accumulation, _ type: KVCacheType)

    /// Softmax numerators in place; returns their sum. `sink` is −∞ and `cap` 0 where there is none.
    func softmax(_ count: Int, _ scores: UnsafeMutablePointer<Float>, scale: Float, cap: Float, sink: Float) -> Float

    /// RMS norm of `count` values.
    func rmsNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, epsilon: Float,
        into y: UnsafeMutablePointer<Float>)

    /// Layer norm of `count` values.
    func layerNorm(
        _ count: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        epsilon: Float, into y: UnsafeMutablePointer<Float>)

    /// Rotates pairs in place by interleaved cosines and sines.
    func rotate(
        _ pairs: Int, _ x: UnsafeMutablePointer<Float>, by rotation: UnsafePointer<Float>, _ pairing: RotaryPairing)

    /// y = activation(gate) ⊙ up, or activation(gate) where `up` is nil.
    func gate(
        _ count: Int, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>?, _ activation: Activation,
        into y: UnsafeMutablePointer<Float>)

    /// x = cap · tanh(x / cap)
    func softCap(_ count: Int, _ x: UnsafeMutablePointer<Float>, cap: Float)

    /// y += scale · x
    func addScaled(_ count: Int, _ x: UnsafePointer<Float>, scale: Float, to y: UnsafeMutablePointer<Float>)

    /// x = scale · x
    func scale(_ count: Int, _ x: UnsafeMutablePointer<Float>, by scale: Float)

    /// The largest of each 64 values of x, of as many as are left of the last; NaN is never it.
    func maxima(_ count: Int, _ x: UnsafePointer<Float>, into maxima: UnsafeMutablePointer<Float>)

    /// Stores a head's value in the cache's type.
    func store(_ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into y: UnsafeMutableRawPointer)

    /// Stores a head's key as number `lane` of a panel of sixteen, in the cache's type.
    func storeKey(
        _ count: Int, _ x: UnsafePointer<Float>, as type: KVCacheType, into panel: UnsafeMutableRawPointer, lane: Int)

    /// exp(x), elementwise, as used by the others.
    func exp(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>)

    /// tanh(x), elementwise, as used by the others.
    func tanh(_ count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>)
}
