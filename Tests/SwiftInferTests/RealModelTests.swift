// A real model, where the machine has one.

import Foundation
import SwiftInfer
import Testing

@Suite struct RealModelTests {
    /// The default model of the catalogue, in the folder where the tools put it.
    private static let path: String? = {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
        let folder = environment["SWIFTINFER_MODELS"] ?? cache + "/swiftinfer/models"
        let path = folder + "/SmolLM2-135M-Instruct.Q4_1.gguf"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    @Test(.enabled(if: path != nil, "needs smollm2-135m-instruct: run Tools/fetch-model smollm2-135m-instruct"))
    func completesCode() async throws {
        let model = try Model(contentsOf: try #require(Self.path))
        let session = try model.makeSession(.plain)
        let prompt = Prompt.text("def fibonacci(n):\n    if n <= 1:\n        return n\n    return fibonacci(n - 1) +")
        let response = try await session.respond(
            to: prompt, options: GenerationOptions(maximumTokens: 12, stop: ["\n"]))
        #expect(response.text == " fibonacci(n - 2)")
        #expect(response.statistics.finishReason == .stopString)
    }
}
