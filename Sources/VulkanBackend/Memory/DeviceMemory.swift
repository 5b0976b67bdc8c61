// Memory of the device, and buffers that release it once no recorded work uses it any more.

import InferSupport

/// A piece of memory: a buffer with an address.
struct DeviceMemory: @unchecked Sendable {
    /// Which side reads and writes it.
    enum Access {
        /// The device alone.
        case device
        /// The host writes, the device reads.
        case upload
        /// The device writes, the host reads.
        case readBack
    }
    let buffer: OpaquePointer
    let memory: OpaquePointer
    /// Its address on the device.
    let address: DeviceAddress
    let byteCount: Int
    /// Its address on the host; nil if only the device has access.
    let mapped: UnsafeMutableRawPointer?
}

/// A buffer that lives as long as this object and as the work that was recorded before the object was released.
final class DeviceBuffer: Sendable {
    let memory: DeviceMemory
    private let queue: CommandQueue

    /// Allocates `byteCount` bytes, not initialised. Errors name `purpose`.
    init(
        _ byteCount: Int, _ access: DeviceMemory.Access = .device, on queue: CommandQueue, for purpose: String
    ) throws(InferenceError) {
        memory = try queue.allocate(byteCount, access, for: purpose)
        self.queue = queue
    }

    var address: DeviceAddress { memory.address }

    deinit { queue.retire(memory) }
}
