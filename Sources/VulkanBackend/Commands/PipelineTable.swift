// Pipelines: compiled shaders, made when they are first needed and kept between runs.

import CInferVulkanKernels
import InferSupport

/// Makes pipelines when they are first needed. All share one layout: 128 bytes of push constants and no descriptors.
final class PipelineTable {
    private let device: LogicalDevice
    /// The layout of every pipeline.
    let layout: OpaquePointer
    private let cache: OpaquePointer
    private let file: PipelineCacheFile
    private var pipelines: [ShaderVariant: OpaquePointer] = [:]
    private var storedCount = 0
    private var lastCount = 0

    /// The contents of `file` make compiling faster.
    init(_ device: LogicalDevice, file: PipelineCacheFile) throws(InferenceError) {
        self.device = device
        self.file = file
        let arena = CallArena()
        var info = VkPipelineLayoutCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
        info.pushConstantRangeCount = 1
        info.pPushConstantRanges = UnsafePointer(
            arena.pointer(
                VkPushConstantRange(
                    stageFlags: VK_SHADER_STAGE_COMPUTE_BIT.rawValue, offset: 0,
                    size: UInt32(PushConstants.largestByteCount))))
        var layout: OpaquePointer?
        try check(device.vulkan.CreatePipelineLayout(device.handle, &info, nil, &layout), "make a pipeline layout")
        self.layout = try required(layout, "make a pipeline layout")
        let stored = file.read()
        var cacheInfo = VkPipelineCacheCreateInfo()
        cacheInfo.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
        var cache: OpaquePointer?
        let result = stored.withUnsafeBytes { bytes in
            cacheInfo.initialDataSize = bytes.count
            cacheInfo.pInitialData = bytes.baseAddress
            return device.vulkan.CreatePipelineCache(device.handle, &cacheInfo, nil, &cache)
        }
        do throws(InferenceError) {
            try check(result, "make a pipeline cache")
            self.cache = try required(cache, "make a pipeline cache")
        } catch {
            device.vulkan.DestroyPipelineLayout(device.handle, layout, nil)
            throw error
        }
    }

    /// The pipeline of a shader, made if necessary.
    func pipeline(_ shader: ShaderVariant) throws(InferenceError) -> OpaquePointer {
        if let pipeline = pipelines[shader] { return pipeline }
        let pipeline = try make(shader)
        pipelines[shader] = pipeline
        return pipeline
    }

    private func make(_ variant: ShaderVariant) throws(InferenceError) -> OpaquePointer {
        let code = si_shader(variant.shader.number)
        let (vulkan, arena) = (device.vulkan, CallArena())
        let name = code.name.map { String(cString: $0) } ?? ""
        var moduleInfo = VkShaderModuleCreateInfo()
        moduleInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
        moduleInfo.codeSize = code.byte_count
        moduleInfo.pCode = code.words
        var module: OpaquePointer?
        try check(vulkan.CreateShaderModule(device.handle, &moduleInfo, nil, &module), "take the shader \(name)")
        defer { vulkan.DestroyShaderModule(device.handle, module, nil) }
        let entries = (0..<variant.constantCount).map {
            VkSpecializationMapEntry(constantID: UInt32($0), offset: UInt32(4 * $0), size: 4)
        }
        let specialization = arena.pointer(VkSpecializationInfo()) {
            $0.mapEntryCount = UInt32(entries.count)
            $0.pMapEntries = UnsafePointer(arena.array(entries))
            $0.dataSize = 4 * variant.constantCount
            $0.pData = UnsafeRawPointer(arena.pointer(variant.constants))
        }
        var info = VkComputePipelineCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
        info.layout = layout
        info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
        info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
        info.stage.module = module
        info.stage.pName = arena.string("main")
        info.stage.pSpecializationInfo = UnsafePointer(specialization)
        var pipeline: OpaquePointer?
        try check(
            vulkan.CreateComputePipelines(device.handle, cache, 1, &info, nil, &pipeline),
            "compile the shader \(name)")
        return try required(pipeline, "compile the shader \(name)")
    }

    /// Writes the cache to its file if there are new pipelines and none was made since the last call.
    func storeIfSettled() {
        defer { lastCount = pipelines.count }
        if pipelines.count == lastCount { store() }
    }

    private func store() {
        guard pipelines.count > storedCount else { return }
        storedCount = pipelines.count
        var size = 0
        guard device.vulkan.GetPipelineCacheData(device.handle, cache, &size, nil) == VK_SUCCESS, size > 0 else {
            return
        }
        var bytes = [UInt8](repeating: 0, count: size)
        guard device.vulkan.GetPipelineCacheData(device.handle, cache, &size, &bytes) == VK_SUCCESS else { return }
        file.write(bytes.prefix(size))
    }

    deinit {
        store()
        for pipeline in pipelines.values { device.vulkan.DestroyPipeline(device.handle, pipeline, nil) }
        device.vulkan.DestroyPipelineCache(device.handle, cache, nil)
        device.vulkan.DestroyPipelineLayout(device.handle, layout, nil)
    }
}

/// A file with a driver's compiled shaders. It only saves time, so errors in reading or writing it are ignored.
struct PipelineCacheFile {
    /// Files larger than this are ignored. All pipelines together take less with any driver.
    private static let largestByteCount = 64 << 20

    private let path: String?
    private let properties: VkPhysicalDeviceProperties

    /// The file for a device in `folder`, by default the user's cache folder; no file if that is not known.
    init(for properties: VkPhysicalDeviceProperties, in folder: String? = Self.defaultFolder) {
        self.properties = properties
        path = folder.map {
            $0 + "/"
                + [properties.vendorID, properties.deviceID, properties.driverVersion]
                .map { String($0, radix: 16) }.joined(separator: "-") + ".pipelines"
        }
    }

    private static var defaultFolder: String? { try? UserFolder.cache.path(for: "vulkan") }

    /// The contents of the file; empty if it was not written for this device and driver.
    func read() -> [UInt8] {
        guard let path, let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= Self.largestByteCount {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block.prefix(count)
        }
        // An incomplete cache is useless.
        return ferror(file) == 0 && bytes.count <= Self.largestByteCount && isOurs(bytes) ? bytes : []
    }

    /// Whether the header names this device. Drivers check it too, but not all of them carefully.
    private func isOurs(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard bytes.count >= 32 else { return false }
            func word(_ offset: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
            return word(0) >= 32 && word(4) == VK_PIPELINE_CACHE_HEADER_VERSION_ONE.rawValue
                && word(8) == properties.vendorID && word(12) == properties.deviceID
                && withUnsafeBytes(of: properties.pipelineCacheUUID) { $0.elementsEqual(bytes[16..<32]) }
        }
    }

    /// Replaces the file.
    func write(_ bytes: ArraySlice<UInt8>) {
        guard let path, let slash = path.lastIndex(of: "/") else { return }
        guard (try? Folder.create(String(path[..<slash]), mode: 0o755)) != nil else { return }
        // Written under a name of this process and then renamed, so that no reader sees half a file.
        let fresh = path + ".\(getpid())"
        guard let file = fopen(fresh, "wb") else { return }
        let written = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        let isClosed = fclose(file) == 0
        if written == bytes.count && isClosed && rename(fresh, path) == 0 { return }
        unlink(fresh)
    }
}
