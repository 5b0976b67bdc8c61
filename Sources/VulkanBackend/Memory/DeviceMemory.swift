// A piece of a device's memory.

/// Memory as a buffer with an address.
struct DeviceMemory: @unchecked Sendable {
    /// Who reads and writes it.
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
    /// Where the device finds it.
    let address: UInt64
    let byteCount: Int
    /// Where the host finds it, unless it is the device's alone.
    let mapped: UnsafeMutableRawPointer?
}
