// The choice of a drafter by name.

public import InferDecoding
public import InferSupport
public import InferTokenizers

/// A way to draft, by name.
public struct DrafterChoice: Sendable, CustomStringConvertible {
    /// The choice's name, as on the command line.
    public let description: String
    private let make: @Sendable (Model) throws(InferenceError) -> (any Drafter)?

    /// A choice called `name`. `make` is called for each session that uses it; the drafter it gives is used by that session alone.
    public init(_ name: String, make: @escaping @Sendable (Model) throws(InferenceError) -> (any Drafter)?) {
        description = name
        self.make = make
    }

    /// No drafting: one token per step.
    public static let none = DrafterChoice("none") { _ in nil }

    /// Every choice that needs nothing but the model, ``none`` first.
    public static let all: [DrafterChoice] = [
        .none, .promptLookup, .rest(documents: []), .suffixDecoding(.tree), .suffixDecoding(.chain), .tokenRecycling,
        .ngramMod, .codeSwift(),
    ]

    func makeDrafter(for model: Model) throws(InferenceError) -> (any Drafter)? { try make(model) }
}

extension DrafterChoice {
    /// Repeats what followed the last few tokens before: ``PromptLookupDrafter``.
    public static let promptLookup = DrafterChoice("prompt-lookup") { _ in PromptLookupDrafter() }

    /// Continues as the counts of the text so far and of earlier answers say: ``SuffixDecodingDrafter``.
    public static func suffixDecoding(_ shape: SuffixDecodingDrafter.Shape) -> DrafterChoice {
        DrafterChoice(SuffixDecodingDrafter(shape: shape).name) { _ in SuffixDecodingDrafter(shape: shape) }
    }

    /// Follows the model's own candidates of before: ``TokenRecyclingDrafter``.
    public static let tokenRecycling = DrafterChoice("token-recycling") { model in
        TokenRecyclingDrafter(vocabularySize: model.tokenizer.count)
    }

    /// The rule of llama.cpp's `ngram-mod`: ``NgramModDrafter``.
    public static let ngramMod = DrafterChoice("ngram-mod") { _ in NgramModDrafter() }

    /// Continues as `documents` do, each given as tokens: ``RESTDrafter``. Without documents it drafts nothing.
    public static func rest(documents: [[TokenID]]) -> DrafterChoice {
        DrafterChoice("rest") { _ in RESTDrafter(documents: documents) }
    }
}
