// Checks before a model file is written: existing files and disk space.

import Foundation
import InferEvaluation
import InferSupport

/// The path of a file to write.
struct OutputCheck {
    private let path: String

    /// The file at `path`, which may exist.
    init(_ path: String) { self.path = path }

    /// Throws if the file exists and `force` is false, or if it is one of `inputs` under any name.
    func refuse(overwriting inputs: [String] = [], force: Bool) throws(InferenceError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        if let identity = Self.identity(path), inputs.contains(where: { Self.identity($0) == identity }) {
            throw InferenceError(.unwritableFile, "\(path) is the file that is read; write to another one")
        }
        guard force else { throw InferenceError(.unwritableFile, "\(path) exists; use --force to replace it") }
    }

    /// Throws if the disk has less than `byteCount` bytes left. Does nothing if the free space is unknown.
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
