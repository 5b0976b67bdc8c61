// Device memory that is given back once nothing uses it any more.

import InferSupport

/// A buffer that lives as long as this object and the work that was recorded before it went.
final class DeviceBuffer: Sendable {
    let memory: DeviceMemory
    private let queue: CommandQueue

    /// `byteCount` bytes, not initialised, for `purpose`.
    init(
        _ byteCount: Int, _ access: DeviceMemory.Access = .device, on queue: CommandQueue, for purpose: String
    ) throws(InferenceError) {
        memory = try queue.allocate(byteCount, access, for: purpose)
        self.queue = queue
    }

    var address: UInt64 { memory.address }

    deinit { queue.retire(memory) }
}
