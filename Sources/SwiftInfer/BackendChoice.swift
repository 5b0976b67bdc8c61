// Which device a model runs on.

import GGUF
import Tensors

/// The device that holds a model's weights and computes with them.
public struct BackendChoice: Sendable, Hashable, CustomStringConvertible {
    /// The choice's name, as on the command line.
    public let description: String

    /// The fastest device this build and machine have.
    public static let automatic = BackendChoice(description: "auto")
    /// The processor.
    public static let cpu = BackendChoice(description: "cpu")

    /// The device, ready to load weights. The processor is the only one this build has, so both choices come to that.
    func makeBackend(threads: Int?) throws(InferenceError) -> any Backend { try CPUBackend(threads: threads) }
}
