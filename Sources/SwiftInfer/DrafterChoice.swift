// The choice of a drafter by name.

public import InferDecoding
public import InferSupport
public import InferTokenizers

/// A drafter, by name.
public struct DrafterChoice: Sendable, CustomStringConvertible {
    /// The choice's name, as on the command line.
    public let description: String
    private let make: @Sendable (Model) throws(InferenceError) -> (any Drafter)?

    /// A choice called `name`. `make` is called once for each session that uses it, and that session alone uses the drafter.
    public init(_ name: String, make: @escaping @Sendable (Model) throws(InferenceError) -> (any Drafter)?) {
        description = name
        self.make = make
    }

    /// No drafting: one token per step.
    public static let none = DrafterChoice("none") { _ in nil }

    /// All choices that need only the model, ``none`` first.
    public static let all: [DrafterChoice] = [
        .none, .promptLookup, .rest(documents: []), .suffixDecoding(.tree), .suffixDecoding(.chain), .tokenRecycling,
        .ngramMod, .codeSwift(),
    ]

    /// A planner over a new drafter; nil for ``none``.
    func makePlanner(for model: Model) throws(InferenceError) -> DraftPlanner? {
        let tokenizer = model.tokenizer
        return try make(model).map { drafter in DraftPlanner(drafter) { tokenizer.tokenClass(of: $0).rawValue } }
    }
}

extension DrafterChoice {
    /// Drafts what followed an earlier occurrence of the last few tokens: ``PromptLookupDrafter``.
    public static let promptLookup = DrafterChoice("prompt-lookup") { _ in PromptLookupDrafter() }

    /// Drafts by the counts of the text so far and of earlier answers: ``SuffixDecodingDrafter``.
    public static func suffixDecoding(_ shape: SuffixDecodingDrafter.Shape) -> DrafterChoice {
        DrafterChoice(SuffixDecodingDrafter(shape: shape).name) { _ in SuffixDecodingDrafter(shape: shape) }
    }

    /// Drafts the model's earlier top tokens after the same token: ``TokenRecyclingDrafter``.
    public static let tokenRecycling = DrafterChoice("token-recycling") { model in
        TokenRecyclingDrafter(vocabularySize: model.tokenizer.count)
    }

    /// The rule of llama.cpp's `ngram-mod`: ``NgramModDrafter``.
    public static let ngramMod = DrafterChoice("ngram-mod") { _ in NgramModDrafter() }

    /// Drafts from `documents`, each given as tokens: ``RESTDrafter``. Without documents it drafts nothing.
    public static func rest(documents: [[TokenID]]) -> DrafterChoice {
        DrafterChoice("rest") { _ in RESTDrafter(documents: documents) }
    }
}
