// Folders and model files that exist as long as a test needs them.

package import Foundation
package import InferGGUF

/// A new, empty folder; it is removed together with the object.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("swiftinfer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package var path: String { url.path }

    /// The path of `name` in the folder.
    package func path(_ name: String) -> String { path + "/" + name }

    /// The names of the files in the folder, sorted.
    package var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// Writes the file `name`, and the folders above it; returns its path.
    @discardableResult
    package func write(_ name: String, _ contents: String) throws -> String { try write(name, Data(contents.utf8)) }

    /// Writes the file `name`, and the folders above it; returns its path.
    @discardableResult
    package func write(_ name: String, _ contents: [UInt8]) throws -> String { try write(name, Data(contents)) }

    /// Writes the file `name`, and the folders above it; returns its path.
    @discardableResult
    package func write(_ name: String, _ contents: Data) throws -> String {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try contents.write(to: file)
        return file.path
    }

    /// The bytes of the file `name`.
    package func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: url.appendingPathComponent(name)))
    }
}

/// A GGUF file written by a test; it is removed together with the object. What was opened stays readable.
package final class TemporaryModel {
    /// The opened file.
    package let file: GGUFFile
    private let folder: TemporaryFolder

    /// Writes and opens what `writer` describes.
    package init(_ writer: GGUFWriter) throws {
        folder = try TemporaryFolder()
        let path = folder.path("model.gguf")
        try writer.write(to: path)
        file = try GGUFFile(path: path)
    }

    /// Writes and opens a file with these tensors and no metadata.
    package convenience init(_ tensors: [(name: String, type: TensorType, shape: [Int], bytes: [UInt8])]) throws {
        var writer = GGUFWriter()
        for tensor in tensors {
            try writer.addTensor(tensor.name, type: tensor.type, shape: tensor.shape, elements: tensor.bytes)
        }
        try self.init(writer)
    }
}
