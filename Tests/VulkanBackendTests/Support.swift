// What several tests share: the device, and the comparison of logits.

import Foundation
import InferVulkan

/// The Vulkan device of this machine: in CI, the software driver.
enum Device {
    /// A backend that all tests share, with the validation layer if that is installed.
    static let shared = Result {
        do { return try VulkanBackend(validates: true, cacheFolder: folder) } catch {
            return try VulkanBackend(cacheFolder: folder)
        }
    }

    /// The folder for compiled shaders.
    private static let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "swiftinfer-vulkan-tests-\(getuid())"
    ).path

    /// Whether tests run. Without a device they are skipped, except in CI, where they fail with the reason.
    static let isThere = (try? shared.get()) != nil || ProcessInfo.processInfo.environment["CI"] != nil

    /// The message of skipped tests.
    static let absence = "no Vulkan device; Tools/setup installs a software driver"
}

/// The difference between rows of logits: Σ |Δ log p| · p over all tokens, averaged over the rows.
func distance(_ wanted: [[Float]], _ found: [[Float]]) -> Double {
    func logProbabilities(_ row: [Float]) -> [Double] {
        let maximum = Double(row.max() ?? 0)
        let sum = row.reduce(0) { $0 + exp(Double($1) - maximum) }
        return row.map { Double($0) - maximum - log(sum) }
    }
    var total = 0.0
    for (wanted, found) in zip(wanted, found) {
        total += zip(logProbabilities(wanted), logProbabilities(found)).reduce(0) { $0 + abs($1.0 - $1.1) * exp($1.0) }
    }
    return wanted.count == found.count ? total / Double(wanted.count) : .infinity
}
