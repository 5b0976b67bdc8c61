// One of the command buffers that are recorded and run in turn.

import CInferVulkanKernels
import InferSupport

/// A command buffer, what it needs to be run again and again, and memory through which the host hands data to its commands.
final class CommandFrame {
    /// Bytes that the host can hand over in one frame. An operation takes at most half.
    static let uploadByteCount = 8 << 20

    let pool: OpaquePointer
    let commands: OpaquePointer
    let fence: OpaquePointer
    let upload: DeviceMemory
    /// Bytes of ``upload`` in use.
    var used = 0
    /// The number under which it was handed in last.
    var serial: UInt64 = 0
    /// Whether the device may still be working on it.
    var isInFlight = false
    private let device: LogicalDevice

    init(_ device: LogicalDevice) throws(InferenceError) {
        self.device = device
        var poolInfo = VkCommandPoolCreateInfo()
        poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
        poolInfo.queueFamilyIndex = device.family
        var pool: OpaquePointer?
        try check(device.vulkan.CreateCommandPool(device.handle, &poolInfo, nil, &pool), "make a command pool")
        var fence: OpaquePointer?
        do throws(InferenceError) {
            self.pool = try required(pool, "make a command pool")
            var info = VkCommandBufferAllocateInfo()
            info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
            info.commandPool = pool
            info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
            info.commandBufferCount = 1
            var commands: OpaquePointer?
            try check(
                device.vulkan.AllocateCommandBuffers(device.handle, &info, &commands), "make a command buffer")
            self.commands = try required(commands, "make a command buffer")
            var fenceInfo = VkFenceCreateInfo()
            fenceInfo.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
            try check(device.vulkan.CreateFence(device.handle, &fenceInfo, nil, &fence), "make a fence")
            self.fence = try required(fence, "make a fence")
            upload = try device.allocate(Self.uploadByteCount, .upload, for: "what a step is told")
        } catch {
            device.vulkan.DestroyFence(device.handle, fence, nil)
            device.vulkan.DestroyCommandPool(device.handle, pool, nil)
            throw error
        }
    }

    deinit {
        device.vulkan.DestroyFence(device.handle, fence, nil)
        device.vulkan.DestroyCommandPool(device.handle, pool, nil)
        device.free(upload)
    }
}
