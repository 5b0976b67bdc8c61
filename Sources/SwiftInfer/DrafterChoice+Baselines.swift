// The published drafters as choices.

public import InferDecoding
public import InferTokenizers

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
