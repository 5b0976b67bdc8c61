// Whether a file can be written without harm.

import Foundation
import InferSupport

/// A path that is about to be written.
struct OutputCheck {
    private let path: String

    /// The file at `path`, there or not.
    init(_ path: String) { self.path = path }

    /// Refuses a file that exists, unless with `force`, and in any case one of `inputs` under whatever name.
    func refuse(overwriting inputs: [String] = [], force: Bool) throws(InferenceError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        if let identity = Self.identity(path), inputs.contains(where: { Self.identity($0) == identity }) {
            throw InferenceError(.unwritableFile, "\(path) is the file that is read; write to another one")
        }
        guard force else { throw InferenceError(.unwritableFile, "\(path) exists; use --force to replace it") }
    }

    /// Refuses to begin when the disk has no room for `byteCount` bytes. A disk that does not tell is trusted.
    func requireSpace(_ byteCount: Int) throws(InferenceError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder),
            let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue, free < byteCount
        else { return }
        throw InferenceError(
            .unwritableFile,
            "\(path) needs \(Format.bytes(byteCount)), and the disk has \(Format.bytes(free)) left")
    }

    private static func identity(_ path: String) -> [NSNumber]? {
        guard
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: URL(filePath: path).resolvingSymlinksInPath().path),
            let device = attributes[.systemNumber] as? NSNumber, let file = attributes[.systemFileNumber] as? NSNumber
        else { return nil }
        return [device, file]
    }
}
