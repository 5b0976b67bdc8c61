// The committed models and their reference results.

import Foundation

/// A tiny model of `Models/Fixtures` and the results of llama.cpp for it.
struct Fixture: Decodable {
    struct Case: Decodable {
        let prompt: String
        let prompt_tokens: [Int]
        let steps: [Step]
    }

    struct Step: Decodable {
        let token: Int
        /// Pairs of id and log-probability.
        let top: [[Double]]
    }

    let cases: [Case]

    /// The model of most tests, with a byte-pair vocabulary, BOS and the Llama 3 chat template.
    static let llama = path("tiny-llama-f32")
    /// A model without BOS, with fill-in-the-middle tokens and a ChatML template.
    static let qwen = path("tiny-qwen2-f32")

    /// The path of a committed model.
    static func path(_ name: String) -> String { folder.appendingPathComponent(name + ".gguf").path }

    /// The reference results of a model.
    static func numbers(_ name: String) throws -> Fixture {
        try JSONDecoder().decode(
            Fixture.self, from: Data(contentsOf: folder.appendingPathComponent(name + ".json")))
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Models/Fixtures")
}
