// The backend that computes on a Vulkan device.

package import InferSupport
package import InferTensors
import Synchronization

/// Records operations and runs them on a device, a whole step at a time.
///
/// As on the processor, each value is computed in an order that depends on its own inputs alone, whatever the width of the
/// step. The orders differ from the processor's, so the last bits differ too.
package final class VulkanBackend: Backend {
    package let name = "vulkan"
    /// The device in use.
    package let device: VulkanDevice
    private let instance: VulkanInstance
    let tiling: DeviceTiling
    let queue: CommandQueue
    let weightArena = Mutex(WeightArena())
    let tables = Mutex(WeightTables())
    let loadingPool = LoadingPool()
    /// Must not be locked within an operation: its holder may wait for the queue.
    let scratch: Mutex<VulkanScratch>
    /// The layouts that were uploaded for the running step's segments.
    let uploadedLayouts = Mutex<[UploadedLayout]>([])
    /// The plans of scans that were uploaded for them.
    let uploadedPlans = Mutex<[UploadedScanPlan]>([])
    /// Operations so far. Values that were read back are valid as long as this number stays the same.
    let operations = Atomic<UInt64>(0)
    private let copiedBack = Atomic<Int>(0)

    /// Opens the fastest device that can run the shaders.
    ///
    /// - Parameters:
    ///   - validates: whether Vulkan's validation layer checks every call; see ``validationMessages``.
    ///   - cacheFolder: where compiled shaders are kept; nil for the user's cache folder.
    ///   - byteLimit: most bytes to allocate of the device's memory; nil for no limit.
    ///   - timeout: nanoseconds after which a step that has not finished is an error; nil for five minutes, or for no limit on
    ///     a software driver.
    ///   - tiling: the properties that tiles of operations are chosen by; nil for those of the device.
    /// - Throws: `unavailableDevice` if there is no such device; the message says why.
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
        let file =
            cacheFolder.map { PipelineCacheFile(for: physical.properties, in: $0) }
            ?? PipelineCacheFile(for: physical.properties)
        self.tiling = tiling ?? DeviceTiling(physical)
        queue = try CommandQueue(
            LogicalDevice(physical, byteLimit: byteLimit), shaders: ShaderTable(tiling: self.tiling),
            cache: file, timeout: timeout)
        scratch = Mutex(try VulkanScratch(on: queue))
    }

    /// For tests. The messages of the validation layer; empty if there is no error or the layer is off.
    package var validationMessages: [String] { instance.messages.all }

    /// For tests. Bytes of the device's memory in use by weights, caches, activations and the backend itself.
    package var allocatedByteCount: Int { queue.allocatedByteCount }

    /// For tests. Bytes that were copied back to the host so far.
    package var readBackByteCount: Int { copiedBack.load(ordering: .relaxed) }

    /// Counts bytes that are copied back.
    func countReadBack(_ byteCount: Int) { copiedBack.add(byteCount, ordering: .relaxed) }

    /// Records an operation.
    func perform(_ body: () throws(InferenceError) -> Void) {
        operations.add(1, ordering: .relaxed)
        queue.perform(body)
    }

    /// Records an operation that may be joined with the previous one or the next one.
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

/// Activations that this backend made.
func activations(_ x: Activations) -> VulkanActivations { unsafeDowncast(x, to: VulkanActivations.self) }
