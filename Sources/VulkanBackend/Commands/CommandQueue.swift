// Recording commands and submitting them to the device.

import CInferVulkanKernels
import InferSupport
import InferTensors
import Synchronization

/// The device's queue of work. Two frames take turns: one is recorded while the device works on the other.
final class CommandQueue: @unchecked Sendable {
    private let device: LogicalDevice
    private let pipelines: PipelineTable
    private let shaders: ShaderTable
    private let lock = Mutex<Void>(())
    private let frames: [CommandFrame]
    private var current = 0
    private var isRecording = false
    /// The number of the frame that is recorded, or will be next.
    private var serial: UInt64 = 1
    /// The last frame that the device has completed.
    private var completed: UInt64 = 0
    /// The last frame in which anything was recorded.
    private let lastUse = Atomic<UInt64>(0)
    /// An operation that it holds always belongs to the frame that is recorded.
    private var recorder = OperationRecorder()
    /// The first error since ``finish(_:)`` was called last.
    private var failure: InferenceError?
    private let retired = Mutex<[(lastUse: UInt64, memory: DeviceMemory)]>([])
    private let dispatches = Atomic<Int>(0)
    private let barriers = Atomic<Int>(0)

    /// Nanoseconds after which a step that has not finished is an error.
    private let timeout: UInt64

    /// The longest step of a graphics card takes seconds. The software driver may take any time.
    private static let hardwareTimeout: UInt64 = 300_000_000_000

    init(
        _ device: LogicalDevice, shaders: ShaderTable, cache: PipelineCacheFile, timeout: UInt64? = nil
    ) throws(InferenceError) {
        self.device = device
        self.shaders = shaders
        let isSoftware = device.physical.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU
        self.timeout = timeout ?? (isSoftware ? .max : Self.hardwareTimeout)
        pipelines = try PipelineTable(device, file: cache)
        frames = [try CommandFrame(device), try CommandFrame(device)]
    }

    // MARK: Operations

    /// Records an operation: `body` may upload half a frame's bytes and record commands. After a failure, nothing more is
    /// recorded until ``finish(_:)`` has reported it.
    func perform(_ body: () throws(InferenceError) -> Void) {
        begin { () throws(InferenceError) in
            try recorder.flush(to: self)
            try body()
        }
    }

    /// Records `operation`, joined with the previous one if possible, once the next one is known.
    func perform(_ operation: HeldOperation) {
        begin { () throws(InferenceError) in try recorder.add(operation, to: self) }
    }

    private func begin(_ body: () throws(InferenceError) -> Void) {
        lock.withLock { _ in
            guard failure == nil else { return }
            do throws(InferenceError) {
                if isRecording, frames[current].used > Self.uploadLimit { try submit() }
                try beginFrame()
                try body()
            } catch {
                failure = error
                recorder.discardHeld()
            }
        }
    }

    /// Ends a step: records what `body` does, submits all work, and waits until it is done if `body` returns true.
    ///
    /// - Throws: The first error in this call or since the last one. After the device is lost, every call throws.
    func finish(_ body: () throws(InferenceError) -> Bool) throws(InferenceError) {
        var caught: InferenceError?
        lock.withLock { _ in
            do throws(InferenceError) {
                if let failure { throw failure }
                try beginFrame()
                try recorder.flush(to: self)
                let waits = try body()
                try submit()
                if waits { try wait(for: serial - 1) }
                pipelines.storeIfSettled()
            } catch {
                failure = error.code == .deviceFailure ? error : nil
                recorder.discardHeld()
                caught = error
            }
        }
        if let caught { throw caught }
    }

    /// The number of the frame that is recorded. Addresses of uploads are valid as long as it stays the same.
    var frameNumber: UInt64 { serial }

    // MARK: Commands; only within an operation

    /// Bytes that an operation may upload.
    static let uploadLimit = CommandFrame.uploadByteCount / 2

    /// Makes `bytes` readable to the commands of this operation. Returns their address and their offset in the frame's buffer.
    func upload(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) -> (address: UInt64, offset: Int) {
        let (memory, offset) = try reserveUpload(bytes.count)
        if let source = bytes.baseAddress { memory.copyMemory(from: source, byteCount: bytes.count) }
        return (frames[current].upload.address + UInt64(offset), offset)
    }

    /// Room for `count` bytes that the commands of this operation read, and its offset in the frame's buffer. The caller fills
    /// it within the operation.
    func reserveUpload(_ count: Int) throws(InferenceError) -> (memory: UnsafeMutableRawPointer, offset: Int) {
        let frame = frames[current]
        let offset = (frame.used + 15) & ~15
        guard offset + count <= CommandFrame.uploadByteCount, let mapped = frame.upload.mapped else {
            throw InferenceError(.outOfMemory, "a step hands \(count) bytes at once to the Vulkan device")
        }
        frame.used = offset + count
        return (mapped + offset, offset)
    }

    /// ``upload(_:)`` of an array.
    func upload<T: BitwiseCopyable>(_ values: [T]) throws(InferenceError) -> UInt64 {
        try values.withBytes { bytes throws(InferenceError) in try upload(bytes).address }
    }

    /// Records a command.
    func record(_ command: DeviceCommand) throws(InferenceError) { try recorder.record(command, on: self) }

    /// Copies pieces of `source`, in which the buffer `reads` is tracked, to `target`; nil for memory that is not tracked.
    func copy(
        _ pieces: [VkBufferCopy], from source: DeviceMemory, to target: DeviceMemory, reads: DeviceAddress?,
        writes: DeviceAddress?
    ) {
        recorder.order(before: self) {
            if let reads { $0.read(reads) }
            if let writes { $0.write(writes) }
        }
        device.vulkan.CmdCopyBuffer(
            frames[current].commands, source.buffer, target.buffer, UInt32(pieces.count), pieces)
    }

    /// Copies pieces of one buffer to another one.
    func copy(_ pieces: [VkBufferCopy], from source: DeviceBuffer, to target: DeviceBuffer) {
        copy(pieces, from: source.memory, to: target.memory, reads: source.address, writes: target.address)
    }

    /// Copies pieces of what was uploaded in this operation.
    func copyUpload(_ pieces: [VkBufferCopy], to target: DeviceMemory, writes: DeviceAddress?) {
        copy(pieces, from: frames[current].upload, to: target, reads: nil, writes: writes)
    }

    /// Zeroes a buffer.
    func clear(_ memory: DeviceMemory) {
        recorder.order(before: self) { $0.write(memory.address) }
        device.vulkan.CmdFillBuffer(frames[current].commands, memory.buffer, 0, VK_WHOLE_SIZE, 0)
    }

    /// The numbers of dispatches and barriers that were recorded so far.
    var commandCounts: DeviceCommandCounts {
        DeviceCommandCounts(
            dispatches: dispatches.load(ordering: .relaxed), barriers: barriers.load(ordering: .relaxed))
    }

    // MARK: Frames

    private func beginFrame() throws(InferenceError) {
        guard !isRecording else { return }
        let frame = frames[current]
        try wait(for: frame.serial)
        try check(device.vulkan.ResetCommandPool(device.handle, frame.pool, 0), "begin a step")
        var info = VkCommandBufferBeginInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT.rawValue
        try check(device.vulkan.BeginCommandBuffer(frame.commands, &info), "begin a step")
        frame.used = 0
        isRecording = true
        lastUse.store(serial, ordering: .releasing)
        // The work of earlier frames has to be done first.
        recorder.barrier(on: self)
    }

    private func submit() throws(InferenceError) {
        let frame = frames[current]
        // The operands of the held operation may be released after this frame.
        try recorder.flush(to: self)
        recorder.barrier(on: self)
        isRecording = false
        try check(device.vulkan.EndCommandBuffer(frame.commands), "end a step")
        try check(device.vulkan.ResetFences(device.handle, 1, [frame.fence]), "hand in a step")
        let result = withUnsafePointer(to: Optional(frame.commands)) { commands in
            var info = VkSubmitInfo()
            info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
            info.commandBufferCount = 1
            info.pCommandBuffers = commands
            return device.vulkan.QueueSubmit(device.queue, 1, &info, frame.fence)
        }
        try check(result, "hand in a step")
        frame.serial = serial
        frame.isInFlight = true
        serial += 1
        current = (current + 1) % frames.count
    }

    /// Waits until the device has completed all frames up to `serial`.
    private func wait(for serial: UInt64) throws(InferenceError) {
        for frame in frames where frame.isInFlight && frame.serial <= serial {
            let result = device.vulkan.WaitForFences(device.handle, 1, [frame.fence], 1, timeout)
            if result == VK_TIMEOUT {
                // The device still works on this frame: its memory must never be freed.
                _ = Unmanaged.passRetained(self)
                throw InferenceError(
                    .deviceFailure,
                    "the Vulkan device has not finished a step within \(timeout / 1_000_000_000) seconds")
            }
            try check(result, "finish a step")
            frame.isInFlight = false
            completed = max(completed, frame.serial)
        }
        collect()
    }

    // MARK: Memory

    /// Allocates memory of the device. If there is too little, waits for memory that is about to be freed.
    func allocate(
        _ byteCount: Int, _ access: DeviceMemory.Access, for purpose: String
    ) throws(InferenceError) -> DeviceMemory {
        do throws(InferenceError) {
            return try device.allocate(byteCount, access, for: purpose)
        } catch  where error.code == .outOfMemory && retired.withLock({ !$0.isEmpty }) {
            try finish { () in true }
            return try device.allocate(byteCount, access, for: purpose)
        }
    }

    /// Bytes of all memory that was allocated and not yet freed.
    var allocatedByteCount: Int { device.allocatedByteCount.load(ordering: .relaxed) }

    /// Bytes of the device's own memory that may still be allocated.
    var availableByteCount: Int { device.availableByteCount }

    /// Frees memory as soon as no recorded work can use it.
    func retire(_ memory: DeviceMemory) {
        let use = lastUse.load(ordering: .acquiring)
        retired.withLock { $0.append((use, memory)) }
    }

    private func collect() {
        let done = completed
        let free = retired.withLock { retired in
            let free = retired.filter { $0.lastUse <= done }.map(\.memory)
            retired.removeAll { $0.lastUse <= done }
            return free
        }
        for memory in free { device.free(memory) }
    }

    deinit {
        _ = device.vulkan.DeviceWaitIdle(device.handle)
        for (_, memory) in retired.withLock({ $0 }) { device.free(memory) }
    }
}

extension CommandQueue: CommandEncoder {
    func encode(_ command: DeviceCommand) throws(InferenceError) {
        let dispatch = shaders.dispatch(for: command)
        let (vulkan, commands) = (device.vulkan, frames[current].commands)
        vulkan.CmdBindPipeline(
            commands, VK_PIPELINE_BIND_POINT_COMPUTE, try pipelines.pipeline(dispatch.shader))
        withUnsafeBytes(of: dispatch.parameters.words) {
            vulkan.CmdPushConstants(
                commands, pipelines.layout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0,
                UInt32(4 * dispatch.parameters.count), $0.baseAddress)
        }
        let groups = dispatch.groups
        vulkan.CmdDispatch(commands, UInt32(groups.x), UInt32(groups.y), UInt32(groups.z))
        dispatches.add(1, ordering: .relaxed)
    }

    private static let work =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue | VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue

    /// The host sees the results of earlier commands, too.
    func encodeBarrier() {
        var memory = VkMemoryBarrier()
        memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        memory.srcAccessMask = VK_ACCESS_MEMORY_READ_BIT.rawValue | VK_ACCESS_MEMORY_WRITE_BIT.rawValue
        memory.dstAccessMask = memory.srcAccessMask
        let stages = Self.work | VK_PIPELINE_STAGE_HOST_BIT.rawValue
        device.vulkan.CmdPipelineBarrier(frames[current].commands, stages, stages, 0, 1, &memory, 0, nil, 0, nil)
        barriers.add(1, ordering: .relaxed)
    }
}

/// A command buffer that is recorded and run again and again, and the memory through which the host hands data to its commands.
private final class CommandFrame {
    /// Bytes that the host can hand over in one frame. An operation takes at most half.
    static let uploadByteCount = 8 << 20

    let pool: OpaquePointer
    let commands: OpaquePointer
    let fence: OpaquePointer
    let upload: DeviceMemory
    /// Bytes of ``upload`` in use.
    var used = 0
    /// The number under which it was submitted last.
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
