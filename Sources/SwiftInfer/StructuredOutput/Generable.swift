// Answers as values of Swift types.

import InferGrammar
public import InferSupport

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A type whose values a model can write: they are decoded from JSON that follows a schema.
///
/// ```swift
/// struct Recipe: Generable, Encodable {
///     var name: String
///     var minutes: Int
///     var steps: [String]
///
///     static var jsonSchema: JSONSchema {
///         get throws(InferenceError) { try JSONSchema(example: Recipe(name: "Soup", minutes: 20, steps: ["Boil."])) }
///     }
/// }
///
/// let recipe = try await session.respond(to: .text("A recipe for soup:"), generating: Recipe.self).content
/// ```
public protocol Generable: Decodable, Sendable {
    /// The schema of the type's values.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if an example does not show all types.
    static var jsonSchema: JSONSchema { get throws(InferenceError) }
}

/// An answer that is a value.
public struct StructuredResponse<Content: Sendable>: Sendable {
    /// The value.
    public let content: Content
    /// The value's text, in JSON.
    public let text: String
    /// The statistics of the generation.
    public let statistics: Statistics
}

extension Session {
    /// Answers with a value of a type.
    ///
    /// The answer follows the type's schema: see ``GenerationOptions/grammar``, which this replaces. A conversation is rendered with
    /// ``ChatOptions/skipsThinking``. The prompt should say what is wanted; models know nothing of the schema.
    ///
    /// - Throws: ``InferenceError``: `incompleteAnswer` if a limit ends the answer before the value is complete; `invalidArgument` if the
    ///   schema is refused or the type cannot be decoded from a text that follows it; those of ``respond(to:options:)``.
    public nonisolated func respond<Content: Generable>(
        to prompt: Prompt, generating type: Content.Type, options: GenerationOptions = .init()
    ) async throws(InferenceError) -> StructuredResponse<Content> {
        try await respond(to: prompt, generating: type, schema: try type.jsonSchema, options: options)
    }

    /// Answers with a value of a type, by a schema of its values.
    ///
    /// - Throws: ``InferenceError``, as ``respond(to:generating:options:)`` does.
    public nonisolated func respond<Content: Decodable & Sendable>(
        to prompt: Prompt, generating type: Content.Type, schema: JSONSchema, options: GenerationOptions = .init()
    ) async throws(InferenceError) -> StructuredResponse<Content> {
        var options = options
        options.grammar = try schema.grammar()
        return try StructuredResponse(
            decoding: try await generate(prompt.beginningWithText, options: options).response())
    }
}

extension StructuredResponse where Content: Decodable {
    /// Decodes an answer.
    init(decoding response: Response) throws(InferenceError) {
        guard response.statistics.finishReason == .endOfText else {
            throw InferenceError(
                .incompleteAnswer,
                "the answer is not complete after \(response.statistics.tokens.count) tokens "
                    + "(\(response.statistics.finishReason)): \(String(response.text.suffix(60)).printable)")
        }
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(response.text.utf8))
            (text, statistics) = (response.text, response.statistics)
        } catch {
            throw InferenceError(
                .invalidArgument, "the schema allows what \(Content.self) cannot be decoded from", cause: error)
        }
    }
}

extension Prompt {
    /// The prompt; a conversation is rendered with ``ChatOptions/skipsThinking``.
    fileprivate var beginningWithText: Prompt {
        guard case .chat(let messages, var options, let parsesSpecialTokens) = self else { return self }
        options.skipsThinking = true
        return .chat(messages, options: options, parsesSpecialTokens: parsesSpecialTokens)
    }
}
