// The Vulkan commands that the backend calls, as lists for a macro X: without an instance, of an instance, and of a device.
#ifndef VULKAN_COMMANDS_H
#define VULKAN_COMMANDS_H

#define SI_VULKAN_GLOBAL_COMMANDS \
    X(CreateInstance) \
    X(EnumerateInstanceVersion) \
    X(EnumerateInstanceLayerProperties) \
    X(EnumerateInstanceExtensionProperties)

#define SI_VULKAN_INSTANCE_COMMANDS \
    X(DestroyInstance) \
    X(EnumeratePhysicalDevices) \
    X(GetPhysicalDeviceProperties2) \
    X(GetPhysicalDeviceFeatures2) \
    X(GetPhysicalDeviceMemoryProperties2) \
    X(GetPhysicalDeviceQueueFamilyProperties) \
    X(EnumerateDeviceExtensionProperties) \
    X(CreateDevice) \
    X(GetDeviceProcAddr)

// NULL unless the extension is enabled.
#define SI_VULKAN_OPTIONAL_COMMANDS \
    X(CreateDebugUtilsMessengerEXT) \
    X(DestroyDebugUtilsMessengerEXT)

#define SI_VULKAN_DEVICE_COMMANDS \
    X(DestroyDevice) \
    X(GetDeviceQueue) \
    X(DeviceWaitIdle) \
    X(CreateBuffer) \
    X(DestroyBuffer) \
    X(GetBufferMemoryRequirements) \
    X(GetBufferDeviceAddress) \
    X(AllocateMemory) \
    X(FreeMemory) \
    X(BindBufferMemory) \
    X(MapMemory) \
    X(CreateShaderModule) \
    X(DestroyShaderModule) \
    X(CreatePipelineLayout) \
    X(DestroyPipelineLayout) \
    X(CreatePipelineCache) \
    X(DestroyPipelineCache) \
    X(GetPipelineCacheData) \
    X(CreateComputePipelines) \
    X(DestroyPipeline) \
    X(CreateCommandPool) \
    X(DestroyCommandPool) \
    X(ResetCommandPool) \
    X(AllocateCommandBuffers) \
    X(BeginCommandBuffer) \
    X(EndCommandBuffer) \
    X(CreateFence) \
    X(DestroyFence) \
    X(ResetFences) \
    X(WaitForFences) \
    X(QueueSubmit) \
    X(CmdBindPipeline) \
    X(CmdPushConstants) \
    X(CmdDispatch) \
    X(CmdPipelineBarrier) \
    X(CmdCopyBuffer) \
    X(CmdFillBuffer)

#endif
