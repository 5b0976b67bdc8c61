// Recording commands and handing them to the device.

import CInferVulkanKernels
import InferGGUF
import InferSupport
import InferTensors
import Synchronization

/// The device's queue of work. Two frames take turns: one is recorded while the device works on the other.
///
/// Commands run as if one after the other: a barrier is put before a command that reads what an earlier one writes, or writes
/// what one reads or writes. Memory is known by its address for that.
final class CommandQueue: @unchecked Sendable {
    private let device: LogicalDevice
    private let pipelines: PipelineTable
    private let lock = Mutex<Void>(())
    private let frames: [CommandFrame]
    private var current = 0
    private var isRecording = false
    /// The number of the frame that is recorded, or will be next.
    private var serial: UInt64 = 1
    /// The last frame that the device is done with.
    private var completed: UInt64 = 0
    /// The last frame in which anything was recorded.
    private let lastUse = Atomic<UInt64>(0)
    /// What was read and written since the last barrier: a few addresses.
    private var reads: [UInt64] = []
    private var writes: [UInt64] = []
    /// The last operation, where it is not recorded yet; always one of the frame that is recorded.
    private var held: HeldOperation?
    /// What went wrong since ``finish(_:)`` was called last.
    private var failure: InferenceError?
    private let retired = Mutex<[(lastUse: UInt64, memory: DeviceMemory)]>([])
    private let dispatches = Atomic<Int>(0)
    private let barriers = Atomic<Int>(0)

    /// Nanoseconds after which the device is taken to hang.
    private let timeout: UInt64

    /// A graphics card's longest step takes seconds; the software driver may take any time.
    private static let hardwareTimeout: UInt64 = 300_000_000_000

    init(
        _ device: LogicalDevice, cache: PipelineCacheFile, timeout: UInt64? = nil
    ) throws(InferenceError) {
        self.device = device
        let isSoftware = device.physical.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU
        self.timeout = timeout ?? (isSoftware ? .max : Self.hardwareTimeout)
        pipelines = try PipelineTable(device, file: cache)
        frames = [try CommandFrame(device), try CommandFrame(device)]
    }

    // MARK: Operations

    /// Records an operation: `body` may upload half a frame's bytes and record commands. After a failure nothing is recorded
    /// any more until ``finish(_:)`` has reported it.
    func perform(_ body: () throws(InferenceError) -> Void) {
        record { () throws(InferenceError) in
            try recordHeld()
            try body()
        }
    }

    /// Records `operation`, joined with the one before where that can be, or keeps it until it is known what comes next.
    func perform(_ operation: HeldOperation) {
        record { () throws(InferenceError) in
            if let joined = held?.joined(with: operation) {
                held = joined
            } else {
                try recordHeld()
                held = operation
            }
        }
    }

    private func record(_ body: () throws(InferenceError) -> Void) {
        lock.withLock { _ in
            guard failure == nil else { return }
            do throws(InferenceError) {
                if isRecording, frames[current].used > CommandFrame.uploadByteCount / 2 { try submit() }
                try begin()
                try body()
            } catch {
                failure = error
                held = nil
            }
        }
    }

    /// Records what was held back.
    private func recordHeld() throws(InferenceError) {
        guard let operation = held else { return }
        held = nil
        try operation.record(on: self)
    }

    /// Ends a step: records what `body` does, hands all work in, and, where it returns true, waits until it is done.
    ///
    /// - Throws: What went wrong in this call or since the last one. A device that was lost stays so.
    func finish(_ body: () throws(InferenceError) -> Bool) throws(InferenceError) {
        var caught: InferenceError?
        lock.withLock { _ in
            do throws(InferenceError) {
                if let failure { throw failure }
                try begin()
                try recordHeld()
                let waits = try body()
                try submit()
                if waits { try wait(for: serial - 1) }
                pipelines.storeIfSettled()
            } catch {
                failure = error.code == .deviceFailure ? error : nil
                held = nil
                caught = error
            }
        }
        if let caught { throw caught }
    }

    /// Names the frame that is recorded: addresses of uploads are good for as long as this is the same.
    var frameNumber: UInt64 { serial }

    // MARK: Commands; only within an operation

    /// Makes `bytes` readable to the commands of this operation. Returns their address and place in the frame's buffer.
    func upload(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) -> (address: UInt64, offset: Int) {
        let (memory, offset) = try reserveUpload(bytes.count)
        if let source = bytes.baseAddress { memory.copyMemory(from: source, byteCount: bytes.count) }
        return (frames[current].upload.address + UInt64(offset), offset)
    }

    /// Room for `count` bytes that the commands of this operation read, to be filled within it, and its place in the frame's
    /// buffer.
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

    /// Runs `shader` on x × y × z workgroups.
    func dispatch(
        _ shader: Shader, _ parameters: PushConstants, groups: (x: Int, y: Int, z: Int), reads: [UInt64],
        writes: [UInt64]
    ) throws(InferenceError) {
        guard groups.x > 0, groups.y > 0, groups.z > 0 else { return }
        order(reads: reads, writes: writes)
        let (vulkan, commands) = (device.vulkan, frames[current].commands)
        vulkan.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, try pipelines.pipeline(shader))
        parameters.words.withUnsafeBytes {
            vulkan.CmdPushConstants(
                commands, pipelines.layout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0, UInt32($0.count), $0.baseAddress)
        }
        vulkan.CmdDispatch(commands, UInt32(groups.x), UInt32(groups.y), UInt32(groups.z))
        dispatches.add(1, ordering: .relaxed)
    }

    /// What was recorded so far.
    var commandCounts: DeviceCommandCounts {
        DeviceCommandCounts(
            dispatches: dispatches.load(ordering: .relaxed), barriers: barriers.load(ordering: .relaxed))
    }

    /// Copies pieces of one buffer to another.
    func copy(
        _ pieces: [VkBufferCopy], from source: DeviceMemory, to target: DeviceMemory, reads: [UInt64], writes: [UInt64]
    ) {
        order(reads: reads, writes: writes)
        device.vulkan.CmdCopyBuffer(
            frames[current].commands, source.buffer, target.buffer, UInt32(pieces.count), pieces)
    }

    /// Copies pieces of what was uploaded in this operation.
    func copyUpload(_ pieces: [VkBufferCopy], to target: DeviceMemory, writes: [UInt64]) {
        copy(pieces, from: frames[current].upload, to: target, reads: [], writes: writes)
    }

    /// Zeroes a buffer.
    func clear(_ memory: DeviceMemory) {
        order(reads: [], writes: [memory.address])
        device.vulkan.CmdFillBuffer(frames[current].commands, memory.buffer, 0, VK_WHOLE_SIZE, 0)
    }

    /// Puts a barrier where a command must not begin before earlier ones are done.
    private func order(reads new: [UInt64], writes newWrites: [UInt64]) {
        let conflicts =
            new.contains(where: writes.contains)
            || newWrites.contains { writes.contains($0) || reads.contains($0) }
        if conflicts { barrier() }
        reads += new
        writes += newWrites
    }

    private static let work =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue | VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue

    /// Lets nothing begin before all earlier commands are done and their results can be seen, by the host as well.
    private func barrier() {
        var memory = VkMemoryBarrier()
        memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        memory.srcAccessMask = VK_ACCESS_MEMORY_READ_BIT.rawValue | VK_ACCESS_MEMORY_WRITE_BIT.rawValue
        memory.dstAccessMask = memory.srcAccessMask
        let stages = Self.work | VK_PIPELINE_STAGE_HOST_BIT.rawValue
        device.vulkan.CmdPipelineBarrier(frames[current].commands, stages, stages, 0, 1, &memory, 0, nil, 0, nil)
        barriers.add(1, ordering: .relaxed)
        reads.removeAll(keepingCapacity: true)
        writes.removeAll(keepingCapacity: true)
    }

    // MARK: Frames

    private func begin() throws(InferenceError) {
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
        // What earlier frames did comes first.
        barrier()
    }

    private func submit() throws(InferenceError) {
        let frame = frames[current]
        // What it works on may be given back after this frame.
        try recordHeld()
        barrier()
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

    /// Waits until the device is done with all frames up to `serial`.
    private func wait(for serial: UInt64) throws(InferenceError) {
        for frame in frames where frame.isInFlight && frame.serial <= serial {
            let result = device.vulkan.WaitForFences(device.handle, 1, [frame.fence], 1, timeout)
            if result == VK_TIMEOUT {
                // What it still works on must not be freed, ever.
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

    /// Memory of the device; waits for what is about to be freed where there is none left.
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
