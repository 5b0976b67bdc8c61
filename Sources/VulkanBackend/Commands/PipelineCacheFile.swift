// Compiled shaders, kept between runs.

import CInferVulkanKernels
import InferSupport

/// A file with a driver's compiled shaders. It saves time and nothing else: what cannot be read or written is left alone.
struct PipelineCacheFile {
    /// More than all pipelines take with any driver.
    private static let largestByteCount = 64 << 20

    private let path: String?
    private let properties: VkPhysicalDeviceProperties

    /// The file for a device in `folder`, by default the user's cache folder; none where that is not known.
    init(for properties: VkPhysicalDeviceProperties, in folder: String? = Self.defaultFolder) {
        self.properties = properties
        path = folder.map {
            $0 + "/"
                + [properties.vendorID, properties.deviceID, properties.driverVersion]
                .map { String($0, radix: 16) }.joined(separator: "-") + ".pipelines"
        }
    }

    private static var defaultFolder: String? { try? UserCacheFolder.path(for: "vulkan") }

    /// What the file holds, if it was written for this device and driver; else nothing.
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
        // Part of a cache is none.
        return ferror(file) == 0 && bytes.count <= Self.largestByteCount && isOurs(bytes) ? bytes : []
    }

    /// Whether the header names this device; drivers check it too, but not all with care.
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
        guard let path, makeFolders(of: path) else { return }
        // A name of this process's own, then renamed: no reader sees half a file.
        let fresh = path + ".\(getpid())"
        guard let file = fopen(fresh, "wb") else { return }
        let written = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        let isClosed = fclose(file) == 0
        if written == bytes.count && isClosed && rename(fresh, path) == 0 { return }
        unlink(fresh)
    }

    private func makeFolders(of path: String) -> Bool {
        var status = stat()
        var end = path.startIndex
        while let slash = path[end...].dropFirst().firstIndex(of: "/") {
            let folder = String(path[..<slash])
            if stat(folder, &status) != 0 && mkdir(folder, 0o755) != 0 { return false }
            end = slash
        }
        return true
    }
}
