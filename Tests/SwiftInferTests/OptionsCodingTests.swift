// Options in JSON: what is kept, what is left out, and what is refused.

import Foundation
import SwiftInfer
import Testing

@Suite struct OptionsCodingTests {
    private func decoded<Value: Codable>(_ text: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private func again<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    @Test func generationOptionsAreKept() throws {
        #expect(try again(GenerationOptions()) == GenerationOptions())
        var options = GenerationOptions(maximumTokens: 7, stop: ["é\n", "<|x|>"])
        options.sampling.temperature = 0.7
        (options.sampling.topK, options.sampling.topP, options.sampling.minP) = (40, 0.95, 0.05)
        (options.sampling.repeatPenalty, options.sampling.frequencyPenalty) = (1.1, 0.2)
        (options.sampling.presencePenalty, options.sampling.penaltyWindow) = (-0.1, 9)
        options.sampling.seed = .max
        options.sampling.logitBias = [5: -.infinity, 7: 1.5]
        (options.ignoresEndOfText, options.stopsLoops, options.includesControlTokens) = (true, true, true)
        (options.reportsTokens, options.topLogProbabilities, options.minimumIndentation) = (true, 3, 4)
        (options.hashesLogits, options.usesDrafter) = (true, false)
        options.timeLimitAfterNewline = .milliseconds(1500)
        for grammar in [
            try Grammar(regularExpression: "[a-z]+"), try Grammar(gbnf: "root ::= \"a\" root?"),
            // The order of properties counts.
            try JSONSchema.object(["z": .integer(), "a": .string()]).grammar(),
            try JSONSchema.boolean.grammar(style: JSONStyle(whiteSpace: .none, allowsUndeclaredProperties: false)),
        ] {
            options.grammar = grammar
            #expect(try again(options) == options)
        }
    }

    @Test func whatIsLeftOutIsStandard() throws {
        var expected = GenerationOptions(maximumTokens: 5)
        expected.sampling.topP = 0.5
        #expect(try decoded(#"{"maximumTokens":5,"sampling":{"topP":0.5}}"#, as: GenerationOptions.self) == expected)
        #expect(try decoded("{}", as: GenerationOptions.self) == GenerationOptions())
        #expect(try decoded(#"{"pooling":"last"}"#, as: EmbeddingOptions.self) == EmbeddingOptions(pooling: .last))
        let embedding = EmbeddingOptions(pooling: .mean, isNormalized: false)
        #expect(try again(embedding) == embedding)
        #expect(try again(KVCacheType.allCases) == KVCacheType.allCases)
    }

    @Test(arguments: [
        (#"{"maximumToken":5}"#, "maximumToken"), (#"{"sampling":{"temprature":1}}"#, "temprature"),
        (#"{"sampling":{"temperature":-1}}"#, "temperature"), (#"{"sampling":{"topP":2}}"#, "top-p"),
        (#"{"sampling":{"logitBias":{"x":1}}}"#, "no token"), (#"{"maximumTokens":-1}"#, "-1"),
        (#"{"stop":[""]}"#, "empty"),
        (#"{"topLogProbabilities":-2}"#, "-2"), (#"{"grammar":{"gbnf":"x"}}"#, ""), (#"{"grammar":{}}"#, "one source"),
        (#"{"grammar":{"gbnf":"root ::= \"a\"","regularExpression":"a"}}"#, "one source"),
        (#"{"grammar":{"jsonSchema":"{\"not\":{}}"}}"#, "not"), (#"{"maximumTokens":"5"}"#, ""), ("[]", ""),
    ])
    func badOptionsAreRefused(text: String, phrase: String) {
        let error = #expect(throws: (any Error).self) { try decoded(text, as: GenerationOptions.self) }
        #expect(phrase.isEmpty || error.map { "\($0)".contains(phrase) } ?? false, "\(String(describing: error))")
    }

    @Test func codeIsNotEncoded() {
        struct Nothing: LogitProcessor {}
        var options = GenerationOptions()
        options.logitProcessors = [Nothing()]
        let error = #expect(throws: EncodingError.self) { try JSONEncoder().encode(options) }
        #expect("\(String(describing: error))".contains("code"))
    }
}
