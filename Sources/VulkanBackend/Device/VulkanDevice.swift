// What can be said about a Vulkan device without opening it.

package import InferSupport

/// A device of this machine that speaks Vulkan.
package struct VulkanDevice: Sendable {
    /// What kind of device it is, the fastest kind first.
    package enum Kind: String, Sendable, CaseIterable {
        case discrete = "graphics card"
        case integrated = "integrated graphics"
        case virtual = "virtual graphics"
        case processor = "software"
        case other = "other"
    }
    /// The device's name.
    package let name: String
    /// Its kind.
    package let kind: Kind
    /// The driver's name and version.
    package let driver: String
    /// Bytes of memory of its own.
    package let memory: Int
    /// Why it cannot be used; nil where it can.
    package let obstacle: String?

    /// All devices of this machine.
    ///
    /// - Throws: `unavailableDevice` where there is no Vulkan loader or no driver, which says so.
    package static func all() throws(InferenceError) -> [VulkanDevice] {
        try VulkanInstance(validates: false).devices().map(\.description)
    }
}
