// Which device a model runs on.

import InferSupport
import InferTensors

#if Vulkan
    import InferVulkan
#endif

/// The device that holds a model's weights and computes with them.
public struct BackendChoice: Sendable, Hashable, CustomStringConvertible {
    /// The choice's name, as on the command line.
    public let description: String

    /// The device this engine is known to be fastest on: the processor, as long as no graphics card has been measured.
    public static let automatic = BackendChoice(description: "auto")
    /// The processor.
    public static let cpu = BackendChoice(description: "cpu")
    /// A device with a Vulkan driver, the fastest kind first: a graphics card, else the software driver.
    public static let vulkan = BackendChoice(description: "vulkan")

    /// The device with memory of its own, opened.
    ///
    /// - Throws: ``InferenceError`` with `unavailableDevice` where it cannot be had.
    func makeDevice(byteLimit: Int?) throws(InferenceError) -> any DeviceBackend {
        #if Vulkan
            return try VulkanBackend(byteLimit: byteLimit)
        #else
            throw InferenceError(
                .unavailableDevice, "this build has no Vulkan backend (the package's trait Vulkan is off)")
        #endif
    }
}
