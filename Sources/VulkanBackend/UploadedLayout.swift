// A step's layout in memory that the device reads.

import InferSupport
import InferTensors

/// Which tokens each row of a step sees, uploaded once for all layers.
struct UploadedLayout {
    let frame: UInt64
    private let layout: StepLayout
    let depths: UInt64, pathStarts: UInt64, paths: UInt64

    init(_ layout: StepLayout, on queue: CommandQueue) throws(InferenceError) {
        self.layout = layout
        depths = try queue.upload(layout.depths)
        pathStarts = layout.isChain ? depths : try queue.upload(layout.pathStarts)
        paths = layout.isChain ? depths : try queue.upload(layout.paths)
        frame = queue.frameNumber
    }

    /// Whether this is what `other` would be in frame `frame`.
    func serves(_ other: StepLayout, frame: UInt64) -> Bool {
        // The committed tokens are told with each dispatch.
        self.frame == frame && layout.depths == other.depths && layout.pathStarts == other.pathStarts
            && layout.paths == other.paths
    }
}
