// An opened device: its queue, and the allocation of its memory.

import CInferVulkanKernels
import InferSupport
import InferTensors
import Synchronization

/// A device that is ready for work. Only one thread may use it at a time.
final class LogicalDevice: @unchecked Sendable {
    let physical: PhysicalDevice
    /// Vulkan's commands, including those of the device.
    private(set) var vulkan: si_vulkan
    let handle: OpaquePointer
    /// The queue for compute work, and its family.
    let queue: OpaquePointer
    let family: UInt32
    private let types: [(heap: Int, flags: UInt32)]
    private let byteLimit: Int
    /// Bytes of all buffers that are allocated.
    let allocatedByteCount = Atomic<Int>(0)

    /// Opens `physical`, and limits allocations to `byteLimit` bytes in total.
    ///
    /// - Throws: `unavailableDevice` if it cannot run the shaders.
    init(_ physical: PhysicalDevice, byteLimit: Int? = nil) throws(InferenceError) {
        let name = physical.description.name
        if let obstacle = physical.obstacle {
            throw InferenceError(.unavailableDevice, "the Vulkan device \(name) cannot be used: \(obstacle)")
        }
        self.physical = physical
        vulkan = physical.instance.vulkan
        family = try required(physical.computeFamily, "find a queue")
        types = physical.memoryTypes()
        self.byteLimit = byteLimit ?? .max
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
        info.enabledExtensionCount = UInt32(physical.extensions.count)
        info.ppEnabledExtensionNames = UnsafePointer(arena.array(physical.extensions.map { arena.string($0) }))
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

    /// Allocates a buffer of `byteCount` bytes. Errors name `purpose`.
    ///
    /// - Throws: `outOfMemory`, without trying if too little memory is known to be free.
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
        let available = availableByteCount(ofType: type)
        guard requirements.size <= UInt64(available) else {
            throw InferenceError(
                .outOfMemory,
                "\(purpose) needs \(Int(clamping: requirements.size).mebibytes) of the Vulkan device's memory, "
                    + "\(available.mebibytes) are free")
        }
        guard requirements.size <= physical.largestAllocation else {
            throw InferenceError(
                .outOfMemory,
                "\(purpose) needs \(Int(clamping: requirements.size).mebibytes) in one piece; the Vulkan device gives at "
                    + "most \(Int(clamping: physical.largestAllocation).mebibytes)")
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

    /// Bytes of memory of that type that may still be allocated.
    private func availableByteCount(ofType type: Int) -> Int {
        let (heap, allocated) = (physical.memory()[types[type].heap], allocatedByteCount.load(ordering: .relaxed))
        // If the driver does not report free memory, the use by other programs is unknown.
        let free = physical.hasMemoryBudget ? heap.available : max(0, heap.size - allocated)
        return min(free, max(0, byteLimit - allocated))
    }

    /// Bytes of the device's own memory that may still be allocated.
    var availableByteCount: Int {
        memoryType(.device, among: .max).map { availableByteCount(ofType: $0) } ?? 0
    }

    /// The first type with the best properties for that access; for the device's own memory, the type with the largest heap.
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
            let fit = types.indices.filter {
                bits >> UInt32($0) & 1 != 0 && types[$0].flags & wish == wish && types[$0].flags & Self.special == 0
            }
            guard access == .device else {
                if let first = fit.first { return first }
                continue
            }
            let sizes = physical.memory().map(\.size)
            // Some devices have a separate small heap of memory that the host can access, too.
            return fit.max { (sizes[types[$0].heap], $1) < (sizes[types[$1].heap], $0) }
        }
        return nil
    }

    /// Properties of memory that need features which are not enabled.
    private static let special =
        VK_MEMORY_PROPERTY_PROTECTED_BIT.rawValue | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT.rawValue
        | VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD.rawValue | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD.rawValue

    /// Frees memory that the device no longer uses.
    func free(_ memory: DeviceMemory) {
        vulkan.DestroyBuffer(handle, memory.buffer, nil)
        vulkan.FreeMemory(handle, memory.memory, nil)
        allocatedByteCount.subtract(memory.byteCount, ordering: .relaxed)
    }

    deinit { vulkan.DestroyDevice(handle, nil) }
}
