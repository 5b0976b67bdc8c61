// How much of a model a device holds.

package import InferTensors

/// The last layers of a model on a device of their own, the others on another backend.
package struct Offload: Sendable {
    /// Where those layers go.
    package let device: any Backend
    /// How many of the last blocks; one more stands for everything: the embedding table and the outputs too.
    package let layers: Int

    /// The last `layers` layers on `device`.
    package init(_ layers: Int, on device: any Backend) {
        self.layers = layers
        self.device = device
    }
}

/// Consecutive blocks that are computed on one backend.
struct Stage: Sendable {
    let backend: any Backend
    let blocks: Range<Int>

    /// The stages of `blockCount` blocks: the first one is on the backend that embeds and has the outputs, even where no block is.
    static func all(of blockCount: Int, backend: any Backend, offload: Offload?) -> [Stage] {
        guard let offload, offload.layers > 0 else { return [Stage(backend: backend, blocks: 0..<blockCount)] }
        guard offload.layers <= blockCount else { return [Stage(backend: offload.device, blocks: 0..<blockCount)] }
        let first = blockCount - offload.layers
        return [
            Stage(backend: backend, blocks: 0..<first), Stage(backend: offload.device, blocks: first..<blockCount),
        ]
    }
}
