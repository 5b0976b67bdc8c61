// What `show` prints about a model's tokenizer and chat template.

import InferGGUF
import InferSupport
import SwiftInfer

/// The tokenizer and its notable tokens.
struct TokenizerDescription: Encodable {
    /// The algorithm, as the file names it.
    let model: String?
    /// The rule that splits text into words.
    let preTokenizer: String?
    /// Why this program cannot tokenize for the model; nil when it can.
    let problem: String?
    /// Whether a text begins with the beginning-of-text token.
    let addsBOS: Bool?
    /// Tokens that begin and end texts.
    let special: [String: TokenID]?
    /// Tokens of the fill-in-the-middle format.
    let infill: [String: TokenID]?
    /// Tokens at which an answer ends, by their texts.
    let ends: [String: TokenID]?
    /// The texts of the tokens of the fill-in-the-middle format, by what they mark.
    let infillTexts: [String: String]?

    enum CodingKeys: String, CodingKey {
        case model, problem, special
        case preTokenizer = "pre", addsBOS = "adds_bos", infill = "fim", ends = "end", infillTexts = "fim_texts"
    }

    /// Describes the tokenizer that `metadata` holds.
    init(_ metadata: Metadata, model: String?, preTokenizer: String?) {
        self.model = model
        self.preTokenizer = preTokenizer
        do {
            let tokenizer = try Tokenizer(metadata: metadata)
            let infill = tokenizer.infill
            problem = nil
            addsBOS = tokenizer.addsBOS
            special = Self.present([
                ("bos", tokenizer.bos), ("eos", tokenizer.eos), ("eot", tokenizer.eot), ("unknown", tokenizer.unknown),
                ("padding", tokenizer.padding),
            ])
            ends = Dictionary(
                tokenizer.endOfGeneration.compactMap { id in tokenizer.text(of: id).map { ($0, id) } },
                uniquingKeysWith: { first, _ in first })
            let marks = Self.present([
                ("prefix", infill.prefix), ("suffix", infill.suffix), ("middle", infill.middle),
                ("padding", infill.padding), ("repository", infill.repository),
                ("file_separator", infill.fileSeparator),
            ])
            self.infill = marks
            infillTexts = marks.compactMapValues(tokenizer.text(of:))
        } catch {
            problem = error.message
            addsBOS = nil
            special = nil
            infill = nil
            ends = nil
            infillTexts = nil
        }
    }

    /// Algorithm and splitting rule, for people.
    var kind: String? {
        guard let model else { return nil }
        return ([model] + (preTokenizer.map { [$0] } ?? [])).map(\.printable).joined(separator: ", ")
    }

    private static func present(_ tokens: [(String, TokenID?)]) -> [String: TokenID] {
        var result: [String: TokenID] = [:]
        for case (let name, let token?) in tokens { result[name] = token }
        return result
    }
}

/// The model's chat template.
struct TemplateDescription: Encodable {
    /// The family it was recognised as; nil when it is none of the known ones.
    let kind: String?
    /// Why `run --chat` cannot use it; nil when it can.
    let problem: String?

    /// Describes the template that `metadata` holds.
    init(_ metadata: Metadata) {
        do {
            kind = try ChatTemplate(metadata: metadata).format.description
            problem = nil
        } catch {
            kind = nil
            problem = error.message
        }
    }
}
