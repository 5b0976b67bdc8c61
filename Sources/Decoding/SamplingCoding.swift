// Options of sampling in JSON and other codings.

import InferSupport

extension SamplingOptions: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case temperature, topK, topP, minP, repeatPenalty, frequencyPenalty, presencePenalty, penaltyWindow, seed
        case logitBias
    }

    /// Decodes options. What is left out keeps its standard value.
    ///
    /// - Throws: `DecodingError` for unknown options, ``InferenceError`` with `invalidArgument` for values out of range.
    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(onlyKeyedBy: CodingKeys.self)
        try values.decode(.temperature, into: &temperature)
        try values.decode(.topK, into: &topK)
        try values.decode(.topP, into: &topP)
        try values.decode(.minP, into: &minP)
        try values.decode(.repeatPenalty, into: &repeatPenalty)
        try values.decode(.frequencyPenalty, into: &frequencyPenalty)
        try values.decode(.presencePenalty, into: &presencePenalty)
        try values.decode(.penaltyWindow, into: &penaltyWindow)
        try values.decode(.seed, into: &seed)
        for (text, bias) in try values.decodeIfPresent([String: Float?].self, forKey: .logitBias) ?? [:] {
            guard let token = Int32(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .logitBias, in: values, debugDescription: "\(text.printable) is no token")
            }
            logitBias[token] = bias ?? -.infinity
        }
        try validate()
    }

    /// Encodes all options. A bias of −∞, which JSON does not have, is null.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(temperature, forKey: .temperature)
        try values.encode(topK, forKey: .topK)
        try values.encode(topP, forKey: .topP)
        try values.encode(minP, forKey: .minP)
        try values.encode(repeatPenalty, forKey: .repeatPenalty)
        try values.encode(frequencyPenalty, forKey: .frequencyPenalty)
        try values.encode(presencePenalty, forKey: .presencePenalty)
        try values.encode(penaltyWindow, forKey: .penaltyWindow)
        try values.encode(seed, forKey: .seed)
        guard !logitBias.isEmpty else { return }
        let biases = logitBias.map { (String($0), $1 > -.infinity ? Float?($1) : nil) }
        try values.encode(Dictionary(uniqueKeysWithValues: biases), forKey: .logitBias)
    }
}
