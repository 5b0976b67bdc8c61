// The connection to the system's Vulkan loader.

import CInferVulkanKernels
import InferSupport
import Synchronization

/// Vulkan's commands and an instance of it.
final class VulkanInstance: @unchecked Sendable {
    /// The version the shaders are written for.
    private static let version = vulkanVersion(1, 3)
    private static let validationLayer = "VK_LAYER_KHRONOS_validation"
    #if canImport(Darwin)
    private static let library = "libvulkan.1.dylib"
    /// Whether devices are listed that lack a part of Vulkan. On macOS there are no others: MoltenVK translates to Metal.
    private static let listsIncompleteDevices = true
    #else
    private static let library = "libvulkan.so.1"
    private static let listsIncompleteDevices = false
    #endif

    /// Commands of the loader and of the instance.
    private(set) var vulkan = si_vulkan()
    private let handle: OpaquePointer
    private var messenger: OpaquePointer?
    /// The messages of the validation layer, if it is on.
    let messages = ValidationMessages()

    /// Opens the loader.
    ///
    /// - Parameter validates: whether the validation layer checks every call; it must be installed.
    /// - Throws: `unavailableDevice` if there is no loader, no driver, or no validation layer although it was requested.
    init(validates: Bool) throws(InferenceError) {
        guard si_vulkan_open(&vulkan) else {
            throw InferenceError(.unavailableDevice, "there is no Vulkan loader on this machine (\(Self.library))")
        }
        var version: UInt32 = 0
        try check(vulkan.EnumerateInstanceVersion(&version), "tell its version")
        guard version >= Self.version else {
            throw InferenceError(
                .unavailableDevice,
                "the Vulkan loader is of version \(version >> 22).\(version >> 12 & 1023); 1.3 is needed")
        }
        if validates, try !Self.hasValidationLayer(vulkan) {
            throw InferenceError(.unavailableDevice, "Vulkan's validation layer is not installed")
        }
        handle = try Self.makeInstance(vulkan, validates: validates)
        guard si_vulkan_load_instance(&vulkan, handle) else {
            throw InferenceError(.unavailableDevice, "the Vulkan loader lacks commands of version 1.3")
        }
        if validates { messenger = try makeMessenger() }
    }

    private static func hasValidationLayer(_ vulkan: si_vulkan) throws(InferenceError) -> Bool {
        var count: UInt32 = 0
        try check(vulkan.EnumerateInstanceLayerProperties(&count, nil), "list its layers")
        var layers = [VkLayerProperties](repeating: VkLayerProperties(), count: Int(count))
        try check(vulkan.EnumerateInstanceLayerProperties(&count, &layers), "list its layers")
        return layers.contains { text(of: $0.layerName) == validationLayer }
    }

    private static func hasExtension(_ name: String, _ vulkan: si_vulkan) throws(InferenceError) -> Bool {
        var count: UInt32 = 0
        try check(vulkan.EnumerateInstanceExtensionProperties(nil, &count, nil), "list its extensions")
        var extensions = [VkExtensionProperties](repeating: VkExtensionProperties(), count: Int(count))
        try check(vulkan.EnumerateInstanceExtensionProperties(nil, &count, &extensions), "list its extensions")
        return extensions.contains { text(of: $0.extensionName) == name }
    }

    private static func makeInstance(_ vulkan: si_vulkan, validates: Bool) throws(InferenceError) -> OpaquePointer {
        let arena = CallArena()
        let application = arena.pointer(VkApplicationInfo()) {
            $0.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
            $0.pApplicationName = arena.string("swiftinfer")
            $0.apiVersion = version
        }
        var info = VkInstanceCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
        info.pApplicationInfo = UnsafePointer(application)
        var extensions: [String] = []
        if listsIncompleteDevices, try hasExtension("VK_KHR_portability_enumeration", vulkan) {
            extensions.append("VK_KHR_portability_enumeration")
            info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR.rawValue
        }
        if validates {
            // Finds missing barriers too, which the layer does not check by default.
            let features = arena.array([VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT])
            let validation = arena.pointer(VkValidationFeaturesEXT()) {
                $0.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT
                $0.enabledValidationFeatureCount = 1
                $0.pEnabledValidationFeatures = UnsafePointer(features)
            }
            info.pNext = UnsafeRawPointer(validation)
            info.enabledLayerCount = 1
            info.ppEnabledLayerNames = UnsafePointer(arena.array([arena.string(validationLayer)]))
            extensions.append("VK_EXT_debug_utils")
        }
        info.enabledExtensionCount = UInt32(extensions.count)
        info.ppEnabledExtensionNames = UnsafePointer(arena.array(extensions.map { arena.string($0) }))
        var handle: OpaquePointer?
        let result = vulkan.CreateInstance(&info, nil, &handle)
        guard result != VK_ERROR_INCOMPATIBLE_DRIVER else {
            throw InferenceError(.unavailableDevice, "there is a Vulkan loader on this machine, but no driver")
        }
        try check(result, "make an instance")
        return try required(handle, "make an instance")
    }

    private func makeMessenger() throws(InferenceError) -> OpaquePointer? {
        var info = VkDebugUtilsMessengerCreateInfoEXT()
        info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
        info.messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
        info.messageType =
            VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT.rawValue
        info.pUserData = Unmanaged.passUnretained(messages).toOpaque()
        info.pfnUserCallback = { _, _, data, user in
            guard let user, let message = data?.pointee.pMessage else { return 0 }
            Unmanaged<ValidationMessages>.fromOpaque(user).takeUnretainedValue().append(String(cString: message))
            return 0
        }
        var messenger: OpaquePointer?
        try check(vulkan.CreateDebugUtilsMessengerEXT(handle, &info, nil, &messenger), "report what it validates")
        return messenger
    }

    /// All devices, including those that cannot be used, in the loader's order.
    func devices() throws(InferenceError) -> [PhysicalDevice] {
        var count: UInt32 = 0
        try check(vulkan.EnumeratePhysicalDevices(handle, &count, nil), "list its devices")
        var handles = [OpaquePointer?](repeating: nil, count: Int(count))
        try check(vulkan.EnumeratePhysicalDevices(handle, &count, &handles), "list its devices")
        return handles.compactMap { $0 }.map { PhysicalDevice($0, of: self) }
    }

    deinit {
        if let messenger { vulkan.DestroyDebugUtilsMessengerEXT(handle, messenger, nil) }
        vulkan.DestroyInstance(handle, nil)
    }
}

/// The messages of Vulkan's validation layer, which come from any thread.
final class ValidationMessages: Sendable {
    private let messages = Mutex<[String]>([])

    func append(_ message: String) { messages.withLock { $0.append(message) } }

    /// All messages so far.
    var all: [String] { messages.withLock { $0 } }
}
