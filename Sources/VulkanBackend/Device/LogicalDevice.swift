// An opened device: its queue and its memory.

import CVulkanKernels
import GGUF
import Synchronization

/// A device ready for work. Whoever uses it sees to it that one thread does so at a time.
final class LogicalDevice: @unchecked Sendable {
    /// The device, before it was opened.
    let physical: PhysicalDevice
    /// Vulkan's commands, those of the device included.
    private(set) var vulkan: si_vulkan
    let handle: OpaquePointer
    /// Where work is handed in, and the family it is of.
    let queue: OpaquePointer
    let family: UInt32
    private let types: [(heap: Int, flags: UInt32)]
    /// Bytes of all buffers there are.
    let allocatedByteCount = Atomic<Int>(0)

    /// Opens `physical`.
    ///
    /// - Throws: `unavailableDevice` where it cannot run the shaders.
    init(_ physical: PhysicalDevice) throws(InferenceError) {
        let name = physical.description.name
        if let obstacle = physical.obstacle {
            throw InferenceError(.unavailableDevice, "the Vulkan device \(name) cannot be used: \(obstacle)")
        }
        self.physical = physical
        vulkan = physical.instance.vulkan
        family = try required(physical.computeFamily, "find a queue")
        types = physical.memoryTypes()
        let arena = CallArena()
        let features = DeviceFeatures()
        features.require()
        let queueInfo = arena.pointer(VkDeviceQueueCreateInfo()) {
            $0.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
            $0.queueFamilyIndex = physical.computeFamily ?? 0
            $0.queueCount = 1
            $0.pQueuePriorities = UnsafePointer(arena.array([Float(1)]))
        }
        var info = VkDeviceCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
        info.pNext = UnsafeRawPointer(features.chain)
        info.queueCreateInfoCount = 1
        info.pQueueCreateInfos = UnsafePointer(queueInfo)
        if physical.hasMemoryBudget {
            info.enabledExtensionCount = 1
            info.ppEnabledExtensionNames = UnsafePointer(arena.array([arena.string("VK_EXT_memory_budget")]))
        }
        var device: OpaquePointer?
        try check(vulkan.CreateDevice(physical.handle, &info, nil, &device), "open the device \(name)")
        handle = try required(device, "open the device \(name)")
        guard si_vulkan_load_device(&vulkan, handle) else {
            throw InferenceError(.unavailableDevice, "the driver of \(name) lacks commands of Vulkan 1.3")
        }
        var queue: OpaquePointer?
        vulkan.GetDeviceQueue(handle, family, 0, &queue)
        self.queue = try required(queue, "give a queue")
    }

    /// Memory of `byteCount` bytes for `purpose`, with an address of its own.
    ///
    /// - Throws: `outOfMemory`, before the device is asked where it is known to have too little.
    func allocate(
        _ byteCount: Int, _ access: DeviceMemory.Access, for purpose: String
    ) throws(InferenceError) -> DeviceMemory {
        var info = VkBufferCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
        info.size = UInt64(max(16, byteCount))
        info.usage =
            VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue
            | VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT.rawValue
        var buffer: OpaquePointer?
        try check(vulkan.CreateBuffer(handle, &info, nil, &buffer), "make a buffer for \(purpose)")
        let made = try required(buffer, "make a buffer")
        do throws(InferenceError) {
            let memory = try bindMemory(to: made, access, for: purpose)
            var mapped: UnsafeMutableRawPointer?
            if access != .device, vulkan.MapMemory(handle, memory, 0, VK_WHOLE_SIZE, 0, &mapped) != VK_SUCCESS {
                vulkan.FreeMemory(handle, memory, nil)
                throw InferenceError(.outOfMemory, "the Vulkan device's memory for \(purpose) cannot be mapped")
            }
            var addressInfo = VkBufferDeviceAddressInfo()
            addressInfo.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO
            addressInfo.buffer = made
            allocatedByteCount.add(Int(info.size), ordering: .relaxed)
            return DeviceMemory(
                buffer: made, memory: memory, address: vulkan.GetBufferDeviceAddress(handle, &addressInfo),
                byteCount: Int(info.size), mapped: mapped)
        } catch {
            vulkan.DestroyBuffer(handle, made, nil)
            throw error
        }
    }

    private func bindMemory(
        to buffer: OpaquePointer, _ access: DeviceMemory.Access, for purpose: String
    ) throws(InferenceError) -> OpaquePointer {
        var requirements = VkMemoryRequirements()
        vulkan.GetBufferMemoryRequirements(handle, buffer, &requirements)
        guard let type = memoryType(access, among: requirements.memoryTypeBits) else {
            throw InferenceError(.unavailableDevice, "the Vulkan device has no memory fit for \(purpose)")
        }
        let available = physical.memory()[types[type].heap].available
        guard requirements.size <= UInt64(available) else {
            throw InferenceError(
                .outOfMemory,
                "\(purpose) needs \(requirements.size) bytes of the Vulkan device's memory, \(available) are free")
        }
        let arena = CallArena()
        let flags = arena.pointer(VkMemoryAllocateFlagsInfo()) {
            $0.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO
            $0.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT.rawValue
        }
        var info = VkMemoryAllocateInfo()
        info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
        info.pNext = UnsafeRawPointer(flags)
        info.allocationSize = requirements.size
        info.memoryTypeIndex = UInt32(type)
        var memory: OpaquePointer?
        try check(vulkan.AllocateMemory(handle, &info, nil, &memory), "hold \(purpose)")
        let allocated = try required(memory, "hold \(purpose)")
        do throws(InferenceError) {
            try check(vulkan.BindBufferMemory(handle, buffer, allocated, 0), "hold \(purpose)")
        } catch {
            vulkan.FreeMemory(handle, allocated, nil)
            throw error
        }
        return allocated
    }

    /// The first type with the best properties for that access.
    private func memoryType(_ access: DeviceMemory.Access, among bits: UInt32) -> Int? {
        let local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
        let shared =
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
        let wishes: [UInt32] =
            switch access {
            case .device: [local]
            case .upload: [shared]
            case .readBack: [shared | VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue, shared]
            }
        for wish in wishes {
            let found = types.indices.first { bits >> UInt32($0) & 1 != 0 && types[$0].flags & wish == wish }
            if let found { return found }
        }
        return nil
    }

    /// Gives memory back; the device must be done with it.
    func free(_ memory: DeviceMemory) {
        vulkan.DestroyBuffer(handle, memory.buffer, nil)
        vulkan.FreeMemory(handle, memory.memory, nil)
        allocatedByteCount.subtract(memory.byteCount, ordering: .relaxed)
    }

    deinit { vulkan.DestroyDevice(handle, nil) }
}
