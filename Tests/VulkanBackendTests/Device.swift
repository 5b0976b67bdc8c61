// The device that the tests run on: whatever the machine's Vulkan driver offers, the software driver in CI.

import Foundation
import InferGGUF
import InferTensors
import InferVulkan

enum Device {
    /// A backend for all tests, watched by the validation layer where that is installed.
    static let shared = Result {
        do { return try VulkanBackend(validates: true, cacheFolder: folder) } catch {
            return try VulkanBackend(cacheFolder: folder)
        }
    }

    /// Where shaders compiled by the tests are kept.
    private static let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "swiftinfer-vulkan-tests-\(getuid())"
    ).path

    /// Whether tests run. Without a device they are skipped, except in CI, where they fail and say why.
    static let isThere = (try? shared.get()) != nil || ProcessInfo.processInfo.environment["CI"] != nil

    /// What a skipped test says.
    static let absence = "no Vulkan device; Tools/setup installs a software driver"
}
