// Vulkan devices before they are opened: their properties, and the features that the shaders need.

import CInferVulkanKernels
package import InferSupport

/// A Vulkan device of this machine, as shown to users.
package struct VulkanDevice: Sendable {
    /// Kinds of devices, the fastest kind first.
    package enum Kind: String, Sendable, CaseIterable {
        case discrete = "graphics card"
        case integrated = "integrated graphics"
        case virtual = "virtual graphics"
        case processor = "software"
        case other = "other"
    }
    package let name: String
    package let kind: Kind
    /// The driver's name and version.
    package let driver: String
    /// Bytes of the device's own memory.
    package let memory: Int
    /// Why it cannot be used; nil if it can.
    package let obstacle: String?

    /// All devices of this machine.
    ///
    /// - Throws: `unavailableDevice` if there is no Vulkan loader or no driver; the message says which.
    package static func all() throws(InferenceError) -> [VulkanDevice] {
        try VulkanInstance(validates: false).devices().map(\.description)
    }
}

/// A device that the Vulkan loader reports.
struct PhysicalDevice: @unchecked Sendable {
    let instance: VulkanInstance
    let handle: OpaquePointer
    let properties: VkPhysicalDeviceProperties
    private let driver: VkPhysicalDeviceDriverProperties
    /// Most bytes of a buffer, and of an allocation.
    let largestAllocation: UInt64
    /// Those of the extensions below that the driver has.
    let extensions: [String]
    /// Whether the driver reports how much memory is free.
    var hasMemoryBudget: Bool { extensions.contains(Self.memoryBudget) }

    private static let memoryBudget = "VK_EXT_memory_budget"
    /// A device that has the second one lacks a part of Vulkan, and must be opened with it.
    private static let usefulExtensions = [memoryBudget, "VK_KHR_portability_subset"]

    init(_ handle: OpaquePointer, of instance: VulkanInstance) {
        self.instance = instance
        self.handle = handle
        let arena = CallArena()
        let allocation = arena.pointer(VkPhysicalDeviceMaintenance3Properties()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES
        }
        let size = arena.pointer(VkPhysicalDeviceMaintenance4Properties()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES
            $0.pNext = UnsafeMutableRawPointer(allocation)
        }
        let driver = arena.pointer(VkPhysicalDeviceDriverProperties()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES
            $0.pNext = UnsafeMutableRawPointer(size)
        }
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        properties.pNext = UnsafeMutableRawPointer(driver)
        instance.vulkan.GetPhysicalDeviceProperties2(handle, &properties)
        self.properties = properties.properties
        self.driver = driver.pointee
        largestAllocation = min(allocation.pointee.maxMemoryAllocationSize, size.pointee.maxBufferSize)
        extensions = Self.extensions(handle, instance.vulkan)
    }

    /// Its description for users.
    var description: VulkanDevice {
        let kind: VulkanDevice.Kind =
            switch properties.deviceType {
            case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: .discrete
            case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: .integrated
            case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: .virtual
            case VK_PHYSICAL_DEVICE_TYPE_CPU: .processor
            default: .other
            }
        return VulkanDevice(
            name: text(of: properties.deviceName), kind: kind,
            driver: text(of: driver.driverName) + " " + text(of: driver.driverInfo),
            memory: memory().reduce(0) { $1.isLocal ? $0 + $1.size : $0 }, obstacle: obstacle)
    }

    /// The heaps: their size, the bytes that may still be used, and whether they are the device's own memory.
    func memory() -> [(size: Int, available: Int, isLocal: Bool)] {
        let arena = CallArena()
        let budget = arena.pointer(VkPhysicalDeviceMemoryBudgetPropertiesEXT()) {
            $0.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
        }
        var properties = VkPhysicalDeviceMemoryProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        if hasMemoryBudget { properties.pNext = UnsafeMutableRawPointer(budget) }
        instance.vulkan.GetPhysicalDeviceMemoryProperties2(handle, &properties)
        let heaps = withUnsafeBytes(of: properties.memoryProperties.memoryHeaps) {
            Array($0.bindMemory(to: VkMemoryHeap.self).prefix(Int(properties.memoryProperties.memoryHeapCount)))
        }
        let budgets = withUnsafeBytes(of: budget.pointee.heapBudget) { Array($0.bindMemory(to: UInt64.self)) }
        let usages = withUnsafeBytes(of: budget.pointee.heapUsage) { Array($0.bindMemory(to: UInt64.self)) }
        return heaps.enumerated().map { index, heap in
            let left = budgets[index] > usages[index] ? budgets[index] - usages[index] : 0
            return (
                Int(clamping: heap.size), Int(clamping: hasMemoryBudget ? left : heap.size),
                heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0
            )
        }
    }

    /// The types of memory: their heap and their properties.
    func memoryTypes() -> [(heap: Int, flags: UInt32)] {
        var properties = VkPhysicalDeviceMemoryProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        instance.vulkan.GetPhysicalDeviceMemoryProperties2(handle, &properties)
        return withUnsafeBytes(of: properties.memoryProperties.memoryTypes) {
            $0.bindMemory(to: VkMemoryType.self).prefix(Int(properties.memoryProperties.memoryTypeCount))
                .map { (Int($0.heapIndex), $0.propertyFlags) }
        }
    }

    private static func extensions(_ handle: OpaquePointer, _ vulkan: si_vulkan) -> [String] {
        var count: UInt32 = 0
        guard vulkan.EnumerateDeviceExtensionProperties(handle, nil, &count, nil) == VK_SUCCESS else { return [] }
        var extensions = [VkExtensionProperties](repeating: VkExtensionProperties(), count: Int(count))
        guard vulkan.EnumerateDeviceExtensionProperties(handle, nil, &count, &extensions) == VK_SUCCESS else {
            return []
        }
        return extensions.map { text(of: $0.extensionName) }.filter(usefulExtensions.contains)
    }

    /// The first queue family that supports compute shaders.
    var computeFamily: UInt32? {
        var count: UInt32 = 0
        instance.vulkan.GetPhysicalDeviceQueueFamilyProperties(handle, &count, nil)
        var families = [VkQueueFamilyProperties](repeating: VkQueueFamilyProperties(), count: Int(count))
        instance.vulkan.GetPhysicalDeviceQueueFamilyProperties(handle, &count, &families)
        return families.firstIndex { $0.queueFlags & VK_QUEUE_COMPUTE_BIT.rawValue != 0 }.map { UInt32($0) }
    }

    /// Why it cannot run the shaders; nil if it can.
    var obstacle: String? {
        let version = properties.apiVersion
        if version < vulkanVersion(1, 3) {
            return "it has Vulkan \(version >> 22 & 127).\(version >> 12 & 1023), 1.3 is needed"
        }
        if computeFamily == nil { return "it has no queue for computing" }
        let features = DeviceFeatures()
        instance.vulkan.GetPhysicalDeviceFeatures2(handle, features.chain)
        return features.firstMissing.map { "it lacks the feature \($0)" }
    }
}

/// The optional features of Vulkan that the shaders need: a chain of structures for querying and for enabling them.
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

    /// Enables the features that the shaders need.
    func require() {
        in11.pointee.storageBuffer16BitAccess = 1
        in12.pointee.storageBuffer8BitAccess = 1
        in12.pointee.bufferDeviceAddress = 1
        in12.pointee.scalarBlockLayout = 1
        in13.pointee.shaderIntegerDotProduct = 1
        // Needed for `LocalSizeId`, which compilers for Vulkan 1.3 use for workgroup sizes.
        in13.pointee.maintenance4 = 1
    }

    /// The name of a feature that the shaders need and the chain does not have.
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
