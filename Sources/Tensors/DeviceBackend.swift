// What a backend tells of its device's memory before anything is put there.

package import GGUF

/// A backend whose device may not have room for a whole model.
///
/// The figures are what the backend will allocate, so that whoever loads a model can find out in advance how much of it fits.
package protocol DeviceBackend: Backend {
    /// Bytes that may still be allocated; what the driver and others need is left out.
    var availableByteCount: Int { get }

    /// Bytes that loading all of `tensors`, in that order, takes.
    func byteCount(ofWeights tensors: [TensorInfo]) -> Int

    /// Bytes of a cache of that shape.
    func byteCount(of shape: KVCacheShape) -> Int

    /// Bytes of activations, and of what products with them as inputs use.
    func byteCount(ofActivations shapes: [(rows: Int, columns: Int)]) -> Int

    /// Bytes of its memory that the device reads and writes a second where it copies, which is as fast as it can.
    ///
    /// - Throws: `outOfMemory` or `deviceFailure`.
    func copyRate() throws(InferenceError) -> Double

    /// Bytes that attention uses beside, for up to `rows` rows of `heads` heads over `context` tokens.
    func byteCount(ofAttentionRows rows: Int, heads: Int, context: Int) -> Int
}
