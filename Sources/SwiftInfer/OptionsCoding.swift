// Options of generations and embeddings in JSON and other codings.

import InferDecoding
import InferGrammar
import InferSupport

extension GenerationOptions: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case maximumTokens, sampling, grammar, stop, ignoresEndOfText, stopsLoops, includesControlTokens, reportsTokens
        case topLogProbabilities, timeLimitAfterNewline, minimumIndentation, hashesLogits, usesDrafter
    }

    /// Decodes options. What is left out keeps its standard value.
    ///
    /// - Throws: `DecodingError` for unknown options, ``InferenceError`` with `invalidArgument` for values out of range.
    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(onlyKeyedBy: CodingKeys.self)
        try values.decode(.maximumTokens, into: &maximumTokens)
        try values.decode(.sampling, into: &sampling)
        try values.decode(.grammar, into: &grammar)
        try values.decode(.stop, into: &stop)
        try values.decode(.ignoresEndOfText, into: &ignoresEndOfText)
        try values.decode(.stopsLoops, into: &stopsLoops)
        try values.decode(.includesControlTokens, into: &includesControlTokens)
        try values.decode(.reportsTokens, into: &reportsTokens)
        try values.decode(.topLogProbabilities, into: &topLogProbabilities)
        try values.decode(.timeLimitAfterNewline, into: &timeLimitAfterNewline)
        try values.decode(.minimumIndentation, into: &minimumIndentation)
        try values.decode(.hashesLogits, into: &hashesLogits)
        try values.decode(.usesDrafter, into: &usesDrafter)
        try validate()
    }

    /// Encodes all options.
    ///
    /// - Throws: `EncodingError` if there are ``logitProcessors``, which are code.
    public func encode(to encoder: any Encoder) throws {
        if let processor = logitProcessors.first {
            throw EncodingError.invalidValue(
                processor, .init(codingPath: encoder.codingPath, debugDescription: "processors of logits are code"))
        }
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(maximumTokens, forKey: .maximumTokens)
        try values.encode(sampling, forKey: .sampling)
        try values.encodeIfPresent(grammar, forKey: .grammar)
        try values.encode(stop, forKey: .stop)
        try values.encode(ignoresEndOfText, forKey: .ignoresEndOfText)
        try values.encode(stopsLoops, forKey: .stopsLoops)
        try values.encode(includesControlTokens, forKey: .includesControlTokens)
        try values.encode(reportsTokens, forKey: .reportsTokens)
        try values.encodeIfPresent(topLogProbabilities, forKey: .topLogProbabilities)
        try values.encodeIfPresent(timeLimitAfterNewline, forKey: .timeLimitAfterNewline)
        try values.encode(minimumIndentation, forKey: .minimumIndentation)
        try values.encode(hashesLogits, forKey: .hashesLogits)
        try values.encode(usesDrafter, forKey: .usesDrafter)
    }
}

extension EmbeddingOptions: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case pooling, isNormalized }

    /// Decodes options. What is left out keeps its standard value.
    ///
    /// - Throws: `DecodingError` for unknown options and values.
    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(onlyKeyedBy: CodingKeys.self)
        try values.decode(.pooling, into: &pooling)
        try values.decode(.isNormalized, into: &isNormalized)
    }

    /// Encodes all options.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(pooling, forKey: .pooling)
        try values.encode(isNormalized, forKey: .isNormalized)
    }
}

extension EmbeddingOptions.Pooling: Codable {}
