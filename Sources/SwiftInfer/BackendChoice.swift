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

    /// The device that is known to be the fastest. That is the processor, because no graphics card has been measured yet.
    public static let automatic = BackendChoice(description: "auto")
    /// The processor.
    public static let cpu = BackendChoice(description: "cpu")
    /// A device with a Vulkan driver: a graphics card if there is one, otherwise the software driver.
    public static let vulkan = BackendChoice(description: "vulkan")

    /// Opens the device, which has memory of its own.
    ///
    /// - Throws: ``InferenceError`` with `unavailableDevice` if that is impossible.
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
    /// The layers of a model that are on a device other than the processor. A model's layers are its blocks and one more, the last:
    /// the embedding table and the outputs.
    public struct DeviceLayers: Sendable, Hashable {
        /// The number of layers on the device. These are the last ones.
        public let count: Int
        /// The number of layers of the model.
        public let total: Int
        /// The bytes that all layers would take, including the memory of sessions.
        public let requiredByteCount: Int
        /// The bytes of the device that were available.
        public let availableByteCount: Int
    }
}

extension Model.Options {
    /// Loads the weights of `file` to the chosen devices.
    ///
    /// - Throws: ``InferenceError`` with `outOfMemory`, before anything is loaded, if the device has no room for the requested
    ///   number of layers; `invalidArgument` for an invalid number of layers.
    func load(
        _ file: GGUFFile, progress: LoadingProgress?
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
