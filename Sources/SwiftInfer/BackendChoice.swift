// The device that a model runs on, and how much of the model it holds.

import InferGGUF
import InferSupport
import InferTensors
import InferTransformer

#if Vulkan
    import InferVulkan
#endif

/// The device that holds a model's weights and computes with them.
public struct BackendChoice: Sendable, Hashable, CustomStringConvertible {
    /// The choice's name, as on the command line.
    public let description: String

    /// The device this engine is known to be fastest on: the processor, as long as no graphics card has been measured.
    public static let automatic = BackendChoice(description: "auto")
    /// The processor.
    public static let cpu = BackendChoice(description: "cpu")
    /// A device with a Vulkan driver, the fastest kind first: a graphics card, else the software driver.
    public static let vulkan = BackendChoice(description: "vulkan")

    /// The device with memory of its own, opened.
    ///
    /// - Throws: ``InferenceError`` with `unavailableDevice` where it cannot be had.
    func makeDevice(byteLimit: Int?) throws(InferenceError) -> any DeviceBackend {
        #if Vulkan
            return try VulkanBackend(byteLimit: byteLimit)
        #else
            throw InferenceError(
                .unavailableDevice, "this build has no Vulkan backend (the package's trait Vulkan is off)")
        #endif
    }
}

extension Model {
    /// How much of a model is on a device that is not the processor. A model's layers are its blocks, and at last one more: the
    /// embedding table and the outputs.
    public struct DeviceLayers: Sendable, Hashable {
        /// Layers on the device: the last ones.
        public let count: Int
        /// Layers of the model.
        public let total: Int
        /// Bytes that all of them would take, the memory of sessions included.
        public let requiredByteCount: Int
        /// Bytes of the device that could be used.
        public let availableByteCount: Int
    }
}

extension Model.Options {
    /// Loads the weights of `file` into the devices that were chosen.
    ///
    /// - Throws: ``InferenceError`` with `outOfMemory`, before anything is loaded, where the device has no room for as many layers
    ///   as were asked for; `invalidArgument` for a number of layers that makes no sense.
    func load(
        _ file: GGUFFile, progress: ((Double) -> Void)?
    ) throws(InferenceError) -> (transformer: TransformerModel, layers: Model.DeviceLayers?) {
        if let gpuLayers, gpuLayers < 0 {
            throw InferenceError(.invalidArgument, "the number of layers on the device is \(gpuLayers)")
        }
        guard backend == .vulkan else {
            guard gpuLayers == nil else {
                throw InferenceError(
                    .invalidArgument,
                    "a number of layers on the device is given, but the backend is \(backend), which has no such device"
                )
            }
            return (try TransformerModel(file, backend: processor(), progress: progress), nil)
        }
        guard gpuLayers != 0 else {
            return (try TransformerModel(file, backend: processor(), progress: progress), nil)
        }
        let device = try backend.makeDevice(byteLimit: deviceByteLimit)
        let demand = try DeviceDemand(
            file, on: device,
            capacity: try session.contextLength(trained: Configuration(file).contextLength),
            cacheType: session.cacheType, sequences: sessionCount)
        let available = device.availableByteCount
        let largest = demand.largestLayers(within: available)
        let count = min(gpuLayers ?? largest, demand.layerCount)
        guard count <= largest else {
            throw InferenceError(
                .outOfMemory,
                "\(file.path): \(count) of \(demand.layerCount) layers need \(demand.byteCount(layers: count).mebibytes) on "
                    + "the device, \(available.mebibytes) are free: --gpu-layers \(largest) fits")
        }
        let layers = Model.DeviceLayers(
            count: count, total: demand.layerCount, requiredByteCount: demand.byteCount(layers: demand.layerCount),
            availableByteCount: available)
        if count == demand.layerCount {
            return (try TransformerModel(file, backend: device, progress: progress), layers)
        }
        let transformer = try TransformerModel(
            file, backend: processor(), offload: Offload(count, on: device), progress: progress)
        return (transformer, layers)
    }

    private func processor() throws(InferenceError) -> CPUBackend {
        try CPUBackend(threads: threads, kernels: kernels)
    }
}
