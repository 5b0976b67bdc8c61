// The optional features of Vulkan that the shaders need.

import CInferVulkanKernels

/// A chain of feature structures: to ask a device for what it has, or for what it is to turn on.
final class DeviceFeatures {
    private let arena = CallArena()
    /// The first structure of the chain.
    let chain: UnsafeMutablePointer<VkPhysicalDeviceFeatures2>
    private let in11: UnsafeMutablePointer<VkPhysicalDeviceVulkan11Features>
    private let in12: UnsafeMutablePointer<VkPhysicalDeviceVulkan12Features>
    private let in13: UnsafeMutablePointer<VkPhysicalDeviceVulkan13Features>

    /// A chain with every feature off.
    init() {
        let in13 = arena.pointer(VkPhysicalDeviceVulkan13Features()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES
        }
        let in12 = arena.pointer(VkPhysicalDeviceVulkan12Features()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
            $0.pNext = UnsafeMutableRawPointer(in13)
        }
        let in11 = arena.pointer(VkPhysicalDeviceVulkan11Features()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
            $0.pNext = UnsafeMutableRawPointer(in12)
        }
        chain = arena.pointer(VkPhysicalDeviceFeatures2()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
            $0.pNext = UnsafeMutableRawPointer(in11)
        }
        (self.in11, self.in12, self.in13) = (in11, in12, in13)
    }

    /// Turns on what the shaders need.
    func require() {
        in11.pointee.storageBuffer16BitAccess = 1
        in12.pointee.storageBuffer8BitAccess = 1
        in12.pointee.bufferDeviceAddress = 1
        in12.pointee.scalarBlockLayout = 1
        in13.pointee.shaderIntegerDotProduct = 1
        // Workgroup sizes as identifiers, which compilers for version 1.3 write.
        in13.pointee.maintenance4 = 1
    }

    /// The name of a feature that is needed and off.
    var firstMissing: String? {
        let needed = [
            ("storageBuffer16BitAccess", in11.pointee.storageBuffer16BitAccess),
            ("storageBuffer8BitAccess", in12.pointee.storageBuffer8BitAccess),
            ("bufferDeviceAddress", in12.pointee.bufferDeviceAddress),
            ("scalarBlockLayout", in12.pointee.scalarBlockLayout),
            ("shaderIntegerDotProduct", in13.pointee.shaderIntegerDotProduct),
            ("maintenance4", in13.pointee.maintenance4),
        ]
        return needed.first { $0.1 == 0 }?.0
    }
}
