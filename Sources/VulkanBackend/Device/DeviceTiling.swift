// What decides how much of an operation one workgroup does.

import CInferVulkanKernels

/// What the choice of tiles goes by; they change no sum.
package struct DeviceTiling: Sendable {
    /// Whether a processor computes: then every load that is shared is time won, and few workgroups are enough.
    package let isSoftware: Bool
    /// Bytes that the threads of a workgroup may share.
    package let sharedBytes: Int

    /// Tiles as for such a device.
    package init(isSoftware: Bool, sharedBytes: Int) {
        self.isSoftware = isSoftware
        self.sharedBytes = sharedBytes
    }

    init(_ device: PhysicalDevice) {
        isSoftware = device.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU
        sharedBytes = Int(device.properties.limits.maxComputeSharedMemorySize)
    }
}
