// The committed tiny models in `Models/Fixtures`, with the reference numbers beside them.

package import Foundation
package import InferGGUF

/// A committed model that has reference numbers: what llama.cpp computes with it.
package struct Fixture: Decodable, Sendable, CustomStringConvertible {
    /// A prompt, and llama.cpp's greedy answer to it.
    package struct Case: Decodable, Sendable {
        package let prompt: String
        package let promptTokens: [Int]
        package let steps: [Step]
    }

    /// A token of the answer, and the log-probabilities from which it was chosen.
    package struct Step: Decodable, Sendable {
        package let token: Int
        /// Pairs of token and log-probability, best first.
        package let top: [[Double]]
    }

    /// The name of the model's file.
    package let model: String
    package let cases: [Case]

    package var path: String { Self.folder.appendingPathComponent(model).path }
    package var description: String { model }

    /// The folder of the committed models.
    package static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Models/Fixtures")

    /// The names of all models that have reference numbers, sorted: all committed ones, of split ones the first file.
    package static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }()

    /// All models that have reference numbers, sorted by name.
    package static let all = names.compactMap { try? named($0) }

    /// The model `name` with its reference numbers.
    package static func named(_ name: String) throws -> Fixture {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            Fixture.self, from: Data(contentsOf: folder.appendingPathComponent(name + ".json")))
    }

    /// The path of the model `name`.
    package static func path(_ name: String) -> String { folder.appendingPathComponent(name + ".gguf").path }

    /// The opened file of the model `name`.
    package static func file(_ name: String) throws -> GGUFFile { try GGUFFile(path: path(name)) }
}
