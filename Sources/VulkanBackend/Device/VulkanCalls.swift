// Calling Vulkan: memory for the structures that calls point to, and errors from result codes.

import CInferVulkanKernels
import InferSupport

/// Keeps values at fixed addresses until it is released.
final class CallArena {
    private var release: [() -> Void] = []

    /// The address of a copy of `value`, after `fill` has set it up.
    func pointer<T>(_ value: T, _ fill: (inout T) -> Void = { _ in }) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
        pointer.initialize(to: value)
        release.append { pointer.deallocate() }
        fill(&pointer.pointee)
        return pointer
    }

    /// The address of a copy of the elements.
    func array<T>(_ elements: [T]) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: max(1, elements.count))
        pointer.initialize(from: elements, count: elements.count)
        release.append { pointer.deallocate() }
        return pointer
    }

    /// The address of a copy of the text, terminated by a zero.
    func string(_ text: String) -> UnsafePointer<CChar>? {
        UnsafePointer(array(text.utf8.map { CChar(bitPattern: $0) } + [0]))
    }

    deinit { for release in release { release() } }
}

/// Throws if a Vulkan command has failed. `action` completes "failed to …".
///
/// - Throws: `outOfMemory` or `deviceFailure`.
func check(_ result: VkResult, _ action: @autoclosure () -> String) throws(InferenceError) {
    switch result {
    case VK_SUCCESS: return
    case VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY:
        throw InferenceError(.outOfMemory, "the Vulkan device has no memory left to \(action())")
    case VK_ERROR_DEVICE_LOST:
        throw InferenceError(.deviceFailure, "the Vulkan device was lost when asked to \(action())")
    default:
        throw InferenceError(.deviceFailure, "Vulkan failed to \(action()) (VkResult \(result.rawValue))")
    }
}

/// A value that Vulkan returned; throws `deviceFailure` if it is nil.
func required<T>(_ value: T?, _ action: @autoclosure () -> String) throws(InferenceError) -> T {
    guard let value else { throw InferenceError(.deviceFailure, "Vulkan gave nothing when asked to \(action())") }
    return value
}

/// A version as Vulkan packs it.
func vulkanVersion(_ major: UInt32, _ minor: UInt32) -> UInt32 { major << 22 | minor << 12 }

/// The text in a C array of characters.
func text<T>(of characters: T) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
