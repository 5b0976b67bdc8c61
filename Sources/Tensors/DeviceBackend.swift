// What a backend has beyond the others whose device has memory of its own.

package import InferGGUF
package import InferSupport

/// A backend whose device may not have room for a whole model, and from which reading takes time.
///
/// The byte counts are what the backend will allocate, so that whoever loads a model can find out in advance how much of it fits.
package protocol DeviceBackend: Backend {
    /// What the device calls itself.
    var deviceName: String { get }

    /// Bytes that may still be allocated; what the driver and others need is left out.
    var availableByteCount: Int { get }

    /// Bytes that are allocated.
    var allocatedByteCount: Int { get }

    /// Bytes that loading all of `tensors`, in that order, takes.
    func byteCount(ofWeights tensors: [TensorInfo]) -> Int

    /// Bytes of a cache of that shape.
    func byteCount(of shape: KVCacheShape) -> Int

    /// Bytes that scans use beside, for steps with up to `uncertainRows` rows that may be dropped.
    func byteCount(ofScansOf shape: RecurrentShape, uncertainRows: Int) -> Int

    /// Bytes of activations, and of what products with them as inputs use.
    func byteCount(ofActivations shapes: [(rows: Int, columns: Int)]) -> Int

    /// Bytes of its memory that the device reads and writes a second where it copies, which is as fast as it can.
    ///
    /// - Throws: `outOfMemory` or `deviceFailure`.
    func copyRate() throws(InferenceError) -> Double

    /// Adds up the softmax of each row of logits in which ``Backend/findTopTokens(_:rows:of:hasMaxima:into:)`` has just found the
    /// top tokens, so that choosing one does not take the whole row: see ``SoftmaxSums``.
    func sumSoftmax(_ logits: Activations, rows: Int, of tokenCount: Int, scale: Float, into topTokens: TopTokenBuffers)

    /// Bytes that attention uses beside, for up to `rows` rows of `heads` heads over `context` tokens with values of that length.
    func byteCount(ofAttentionRows rows: Int, heads: Int, valueDimension: Int, context: Int) -> Int

    /// Commands that the device was given so far.
    var commandCounts: DeviceCommandCounts { get }
}

/// Commands that a device was given.
package struct DeviceCommandCounts: Sendable, Equatable {
    /// Times that a shader was run.
    package let dispatches: Int
    /// Points where nothing later began before all earlier was done: on a graphics card each costs some microseconds.
    package let barriers: Int

    /// That many commands.
    package init(dispatches: Int, barriers: Int) {
        self.dispatches = dispatches
        self.barriers = barriers
    }

    /// What was given between two counts.
    package static func - (later: Self, earlier: Self) -> Self {
        Self(dispatches: later.dispatches - earlier.dispatches, barriers: later.barriers - earlier.barriers)
    }
}
