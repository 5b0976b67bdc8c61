// The pipelines made so far.

import CInferVulkanKernels
import InferSupport

/// Makes pipelines when they are first needed. All share one layout: 128 bytes of push constants and no descriptors.
final class PipelineTable {
    private let device: LogicalDevice
    /// The layout of every pipeline.
    let layout: OpaquePointer
    private let cache: OpaquePointer
    private let file: PipelineCacheFile
    private var pipelines: [Shader: OpaquePointer] = [:]
    private var storedCount = 0
    private var lastCount = 0

    /// Uses what `file` holds to make pipelines faster.
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

    /// The pipeline of a shader.
    func pipeline(_ shader: Shader) throws(InferenceError) -> OpaquePointer {
        if let pipeline = pipelines[shader] { return pipeline }
        let pipeline = try make(shader)
        pipelines[shader] = pipeline
        return pipeline
    }

    private func make(_ shader: Shader) throws(InferenceError) -> OpaquePointer {
        let code = si_shader(shader.name)
        let (vulkan, arena) = (device.vulkan, CallArena())
        let name = code.name.map { String(cString: $0) } ?? ""
        var moduleInfo = VkShaderModuleCreateInfo()
        moduleInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
        moduleInfo.codeSize = code.byte_count
        moduleInfo.pCode = code.words
        var module: OpaquePointer?
        try check(vulkan.CreateShaderModule(device.handle, &moduleInfo, nil, &module), "take the shader \(name)")
        defer { vulkan.DestroyShaderModule(device.handle, module, nil) }
        let entries = shader.constants.indices.map {
            VkSpecializationMapEntry(constantID: UInt32($0), offset: UInt32(4 * $0), size: 4)
        }
        let specialization = arena.pointer(VkSpecializationInfo()) {
            $0.mapEntryCount = UInt32(entries.count)
            $0.pMapEntries = UnsafePointer(arena.array(entries))
            $0.dataSize = 4 * shader.constants.count
            $0.pData = UnsafeRawPointer(arena.array(shader.constants))
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

    /// Writes the cache to its file where pipelines were made since, but none since the last call: not in the midst of many.
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
