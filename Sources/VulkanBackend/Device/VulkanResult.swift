// Turning Vulkan's result codes into errors.

import CInferVulkanKernels
import InferSupport

/// Throws where a Vulkan command has not succeeded; `action` says what it was to do.
func check(_ result: VkResult, _ action: @autoclosure () -> String) throws(InferenceError) {
    switch result {
    case VK_SUCCESS: return
    case VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY:
        throw InferenceError(.outOfMemory, "the Vulkan device has no memory left to \(action())")
    case VK_ERROR_DEVICE_LOST:
        throw InferenceError(.deviceFailure, "the Vulkan device was lost when asked to \(action())")
    default:
        throw InferenceError(.deviceFailure, "Vulkan failed to \(action()) (VkResult \(result.rawValue))")
    }
}

/// A value that Vulkan gave on success.
func required<T>(_ value: T?, _ action: @autoclosure () -> String) throws(InferenceError) -> T {
    guard let value else { throw InferenceError(.deviceFailure, "Vulkan gave nothing when asked to \(action())") }
    return value
}

/// A version as Vulkan packs it.
func vulkanVersion(_ major: UInt32, _ minor: UInt32) -> UInt32 { major << 22 | minor << 12 }
