// `swiftinfer perplexity`: measures how well a model predicts a text.

import ArgumentParser
import InferEvaluation
import InferSupport
import SwiftInfer

struct PerplexityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Measure how well a model predicts a text.",
        discussion: """
            The text is cut into chunks of the context's length, and the second half of each chunk is scored: the \
            procedure, and so the figures, of llama.cpp's llama-perplexity. A rest shorter than a chunk is left out, and \
            so is one line break at the end of the file.
            """
    )

    @OptionGroup var model: ModelArgument

    @Argument(help: ArgumentHelp("The text; - is standard input.", valueName: "file"), completion: .file())
    var file: String

    @Option(name: .shortAndLong, parsing: .unconditional, help: ArgumentHelp("Tokens in a chunk.", valueName: "n"))
    var context = 512

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop after this many chunks.", valueName: "n"))
    var chunks: Int?

    @Option(help: "Storage type of keys and values.")
    var kvType = KVCacheType.f16

    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Flag(help: #"Print one JSON object {"perplexity":…,"tokens":…,"chunks":…,"context":…,…}."#)
    var json = false

    private struct Report: Encodable {
        let perplexity: JSONNumber
        let standardError: JSONNumber
        /// Tokens of the whole text.
        let tokens: Int
        let scoredTokens: Int
        let chunks: Int
        let context: Int

        enum CodingKeys: String, CodingKey {
            case perplexity, tokens, chunks, context
            case standardError = "standard_error", scoredTokens = "scored_tokens"
        }
    }

    func validate() throws {
        if context < 4 { throw ValidationError("--context is \(context), but must be at least 4.") }
        if context > Scorer.largestCapacity { throw ValidationError("--context is \(context), which is too large.") }
        if let chunks, chunks < 1 { throw ValidationError("--chunks is \(chunks), but must be at least 1.") }
    }

    func run() throws {
        var text = try InputText.file(file)
        if text.last == UInt8(ascii: "\n") { text.removeLast() }
        let (model, _) = try engine.load(self.model.path(), for: .init(contextLength: context, cacheType: kvType))
        let tokens = model.tokenizer.encode(text, addSpecial: true, parseSpecial: false)
        guard tokens.count >= 2 * context else {
            throw InferenceError(
                .invalidArgument,
                "\(file) has \(tokens.count) tokens; chunks of \(context) need at least \(2 * context) (see --context)")
        }
        let count = min(tokens.count / context, chunks ?? .max)
        let estimate = try score(tokens, chunks: count, model)
        let report = Report(
            perplexity: JSONNumber(estimate.perplexity), standardError: JSONNumber(estimate.standardError),
            tokens: tokens.count, scoredTokens: estimate.count, chunks: count, context: context)
        if json {
            try Output.json(report)
        } else {
            Output.standardOutput(
                "perplexity \(Format.decimal(estimate.perplexity, 4)) ± \(Format.decimal(estimate.standardError, 5)) "
                    + "(\(count) chunks of \(context) tokens, \(estimate.count) tokens scored)\n")
        }
    }

    private func score(_ tokens: [TokenID], chunks: Int, _ model: Model) throws(InferenceError) -> PerplexityEstimate {
        let scorer = try Scorer(model, capacity: context, cacheType: kvType)
        let bar = ProgressBar("perplexity")
        defer { bar.clear() }
        return try PerplexityEstimate(tokens, chunks: chunks, of: context, scorer, model.tokenizer) { done, estimate in
            let value = Format.decimal(estimate.perplexity, 4)
            bar.update(Double(done) / Double(chunks), note: "\(value) after \(done) of \(chunks) chunks")
            if !json, !Terminal.canRedraw {
                Output.standardError("chunk \(done) of \(chunks): \(value)\n")
            }
        }
    }
}
