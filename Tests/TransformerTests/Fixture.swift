// The tiny committed models and the reference numbers beside them.

import Foundation
import Testing

/// A model of `Models/Fixtures` and what llama.cpp computes with it.
struct Fixture: Decodable, CustomTestStringConvertible {
    struct Case: Decodable {
        let prompt: String
        let prompt_tokens: [Int32]
        let steps: [Step]
    }
    struct Step: Decodable {
        let token: Int32
        /// Pairs of token and log-probability, best first.
        let top: [[Double]]
    }
    let model: String
    let cases: [Case]

    var path: String { Self.folder.appendingPathComponent(model).path }
    var testDescription: String { model }

    /// Largest allowed probability-weighted mean |Δ log p| over the ten best tokens.
    var tolerance: Double {
        if model.contains("bf16") { return 0.005 }
        return model.contains("f32") || model.contains("f16") ? 0.002 : 0.02
    }

    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Models/Fixtures")

    static func named(_ name: String) throws -> Fixture {
        let data = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
        return try JSONDecoder().decode(Fixture.self, from: data)
    }

    static let all: [Fixture] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".json") }.sorted()
            .compactMap { try? named(String($0.dropLast(5))) }
    }()
}
