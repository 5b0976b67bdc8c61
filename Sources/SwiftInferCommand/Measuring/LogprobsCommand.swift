// `swiftinfer logprobs`: log-probabilities of the next token after each token.

import ArgumentParser
import InferDecoding
import InferEvaluation
import SwiftInfer

struct LogprobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logprobs",
        abstract: "Print log-probabilities of the next token after each of the given ones.",
        discussion: "Row i is the distribution after tokens 0…i: it predicts token i + 1."
    )

    @OptionGroup var model: ModelArgument

    @Option(parsing: .unconditional, help: ArgumentHelp("Token ids, separated by commas.", valueName: "ids"))
    var tokens: TokenList

    @Option(parsing: .unconditional, help: ArgumentHelp("Show the k top tokens of each row.", valueName: "k"))
    var top = 20

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp(
            "Length of the context (default: that of run, or as many tokens as are given).", valueName: "n"))
    var context: Int?

    @Option(help: "Storage type of keys and values.")
    var kvType = KVCacheType.f32

    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Flag(help: #"Print one JSON object {"rows":[{"position":0,"top":[[id,logprob],…]},…]}."#)
    var json = false

    /// The distribution after one token.
    private struct Row: Encodable {
        let position: Int
        let top: [TopToken]
    }

    /// One of the top tokens, as `[id, logprob]` in JSON.
    private struct TopToken: Encodable {
        let token: TokenID
        let logProbability: Float

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(token)
            if logProbability.isFinite { try container.encode(logProbability) } else { try container.encodeNil() }
        }
    }

    func validate() throws {
        if tokens.tokens.isEmpty { throw ValidationError("--tokens must name at least one token.") }
        if top < 1 { throw ValidationError("--top is \(top), but must be at least 1.") }
        if let context, context < tokens.tokens.count {
            throw ValidationError("--context \(context) does not hold the \(tokens.tokens.count) tokens given.")
        }
        if let context, context > Scorer.largestCapacity {
            throw ValidationError("--context is \(context), which is too large.")
        }
    }

    func run() throws {
        let (model, _) = try engine.load(
            self.model.path(), for: .init(contextLength: context, cacheType: kvType))
        // The rotation of some models depends on the context length, so use the context length of a session.
        let capacity = max(tokens.tokens.count, try Session.Options(contextLength: context).contextLength(of: model))
        let scorer = try Scorer(model, capacity: capacity, cacheType: kvType)
        let bar = ProgressBar("evaluating")
        defer { bar.clear() }
        var rows: [Row] = []
        try scorer.score(tokens.tokens, from: 0) { position, probabilities in
            let topTokens = probabilities.top(top).map {
                TopToken(token: $0.token, logProbability: $0.logProbability)
            }
            rows.append(Row(position: position, top: topTokens))
            bar.update(Double(rows.count) / Double(tokens.tokens.count))
        }
        bar.clear()
        if json {
            try Output.json(["rows": rows])
        } else {
            Output.standardOutput(rows.map { text($0, model.tokenizer) }.joined())
        }
    }

    private func text(_ row: Row, _ tokenizer: Tokenizer) -> String {
        let token = tokens.tokens[row.position]
        return "after \(row.position): \(token) \(TokenText.quoted(token, tokenizer))\n"
            + row.top.map { top in
                Format.right(String(top.token), 9)
                    + Format.right(
                        Format.decimal(Double(top.logProbability), 4), 10)
                    + "  " + TokenText.quoted(top.token, tokenizer) + "\n"
            }.joined()
    }
}
