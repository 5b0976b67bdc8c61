// The committed models and the temporary files that these tests use.

import Foundation
import InferGGUF
import InferSupport
import SwiftInfer
import TestSupport

extension Fixture {
    /// A model with a byte-pair vocabulary and BOS.
    static let llama = path("tiny-llama-f32")
    /// A model without BOS.
    static let qwen = path("tiny-qwen2-f32")

    /// Loads a model with one thread: the models are tiny, and tests run side by side.
    static func model(_ path: String = llama) throws -> Model {
        try Model(contentsOf: path, options: .init(backend: .cpu, threads: 1))
    }

    static func tokenizer(_ path: String = llama) throws -> Tokenizer {
        try Tokenizer(metadata: GGUFFile(path: path).metadata)
    }
}

/// The error that `body` throws; nil if it throws none, or another kind of error.
func inferenceError(_ body: () throws -> Void) -> InferenceError? {
    do {
        try body()
        return nil
    } catch { return error as? InferenceError }
}
