// The committed models the tests run on.

import SwiftInfer
import TestSupport

extension Fixture {
    /// Loads the committed model `name`. One thread: the models are tiny, and tests run side by side.
    static func model(_ name: String = "tiny-llama-f32") throws -> Model {
        try Model(contentsOf: path(name), options: .init(threads: 1))
    }
}

extension Session.Options {
    /// No drafting, for tests that count steps and for what drafts are compared with.
    static let plain = Session.Options(drafter: .none)
}

extension GenerationOptions {
    /// Exactly `count` tokens, whatever the model thinks, with a hash of the logits.
    static func exactly(_ count: Int, _ edit: (inout GenerationOptions) -> Void = { _ in }) -> GenerationOptions {
        var options = GenerationOptions(maximumTokens: count)
        options.ignoresEndOfText = true
        options.hashesLogits = true
        edit(&options)
        return options
    }
}

/// A text of more tokens than one step of the engine takes.
let longText = (0..<36).map { "let value\($0) = [1, 2, 3].map { $0 * \($0 * 7919 % 1000) }\n" }.joined()
