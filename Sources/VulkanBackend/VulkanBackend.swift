// The backend that computes on a Vulkan device.

package import InferSupport
package import InferTensors
import Synchronization

/// Records operations and runs them on a device, a whole step at a time.
///
/// Each value is computed in an order that depends on nothing but its own inputs, whatever the width of the step, as on the
/// processor; the orders differ from the processor's, though, and with them the last bits.
package final class VulkanBackend: Backend {
    package let name = "vulkan"
    /// The device in use.
    package let device: VulkanDevice
    private let instance: VulkanInstance
    let queue: CommandQueue
    let tiling: DeviceTiling
    let weightArena = Mutex(WeightArena())
    let tables = Mutex(WeightTables())
    let loadingPool = LoadingPool()
    /// Not to be locked within an operation: whoever holds it may wait for the queue.
    let scratch: Mutex<VulkanScratch>
    /// Where a step's layout was uploaded last, and in which frame.
    let uploadedLayouts = Mutex<[UploadedLayout]>([])
    /// Operations so far: tells whether what was read is still what there is.
    let operations = Atomic<UInt64>(0)
    private let copiedBack = Atomic<Int>(0)

    /// Opens the fastest device that can be used.
    ///
    /// - Parameters:
    ///   - validates: whether Vulkan's validation layer watches, see ``validationMessages``.
    ///   - cacheFolder: where compiled shaders are kept; nil for the user's cache folder.
    ///   - byteLimit: most bytes to allocate of the device's memory, as if it had no more; nil for no limit.
    ///   - timeout: nanoseconds after which a step that is not finished is an error; nil for minutes, or none in software.
    ///   - tiling: what tiles of operations are chosen by; nil for what suits the device.
    /// - Throws: `unavailableDevice` where there is none, which says why.
    package init(
        validates: Bool = false, cacheFolder: String? = nil, byteLimit: Int? = nil, timeout: UInt64? = nil,
        tiling: DeviceTiling? = nil
    ) throws(InferenceError) {
        let instance = try VulkanInstance(validates: validates)
        let devices = try instance.devices()
        func rank(_ device: PhysicalDevice) -> Int {
            VulkanDevice.Kind.allCases.firstIndex(of: device.description.kind) ?? 0
        }
        guard let physical = devices.filter({ $0.obstacle == nil }).min(by: { rank($0) < rank($1) }) else {
            let reasons = devices.map { "\($0.description.name): \($0.obstacle ?? "")" }
            throw InferenceError(
                .unavailableDevice,
                reasons.isEmpty
                    ? "Vulkan knows no device on this machine"
                    : "no Vulkan device can be used: " + reasons.joined(separator: "; "))
        }
        self.instance = instance
        device = physical.description
        self.tiling = tiling ?? DeviceTiling(physical)
        let file =
            cacheFolder.map { PipelineCacheFile(for: physical.properties, in: $0) }
            ?? PipelineCacheFile(for: physical.properties)
        queue = try CommandQueue(LogicalDevice(physical, byteLimit: byteLimit), cache: file, timeout: timeout)
        scratch = Mutex(try VulkanScratch(on: queue))
    }

    /// For tests. The messages of the validation layer; empty if it found no error or is off.
    package var validationMessages: [String] { instance.messages.all }

    /// For tests. Bytes of device memory in use by weights, sequences and the backend itself.
    package var allocatedByteCount: Int { queue.allocatedByteCount }

    /// For tests. Number of bytes that have been copied to memory that the host reads.
    package var readBackByteCount: Int { copiedBack.load(ordering: .relaxed) }

    /// Counts bytes that are copied back.
    func countReadBack(_ byteCount: Int) { copiedBack.add(byteCount, ordering: .relaxed) }

    /// Records an operation.
    func perform(_ body: () throws(InferenceError) -> Void) {
        operations.add(1, ordering: .relaxed)
        queue.perform(body)
    }

    /// Records an operation that may be done along with the one before, or with the one after.
    func perform(_ operation: HeldOperation) {
        operations.add(1, ordering: .relaxed)
        queue.perform(operation)
    }

    package func finish(reading results: [Activations], rows: Int) throws(InferenceError) {
        if results.isEmpty {
            try queue.finish { () in false }
        } else {
            try copyBack(results.map(activations), rows: rows)
        }
    }
}

/// The operands that this backend made.
func activations(_ x: Activations) -> VulkanActivations { unsafeDowncast(x, to: VulkanActivations.self) }
func address(_ x: Activations) -> UInt64 { activations(x).address }
func address(_ vector: WeightVector) -> UInt64 { unsafeDowncast(vector, to: VulkanWeightVector.self).address }
func planes(_ matrix: WeightMatrix) -> WeightPlanes { unsafeDowncast(matrix, to: VulkanWeightMatrix.self).planes }
