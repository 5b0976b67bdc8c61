// The committed models and the temporary files that these tests use.

import Foundation
import InferGGUF
import InferSupport
import SwiftInfer

enum Fixture {
    /// A model with a byte-pair vocabulary and BOS.
    static let llama = path("tiny-llama-f32")
    /// A model without BOS.
    static let qwen = path("tiny-qwen2-f32")

    /// The path of a committed model.
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Models/Fixtures/\(name).gguf").path
    }

    /// Loads a model with one thread: the models are tiny, and tests run side by side.
    static func model(_ path: String = llama) throws -> Model {
        try Model(contentsOf: path, options: .init(backend: .cpu, threads: 1))
    }

    static func tokenizer(_ path: String = llama) throws -> Tokenizer {
        try Tokenizer(metadata: GGUFFile(path: path).metadata)
    }
}

/// A folder that is removed with this object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("swiftinfer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of a file in the folder.
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file, and creates the folders around it.
    @discardableResult
    func file(_ name: String, _ contents: String) throws -> String {
        let url = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(contents.utf8).write(to: url)
        return url.path
    }
}

/// The error that `body` throws; nil if it throws none, or another kind of error.
func inferenceError(_ body: () throws -> Void) -> InferenceError? {
    do {
        try body()
        return nil
    } catch { return error as? InferenceError }
}
