// Looking into the vocabulary.

extension Tokenizer {
    /// Number of tokens.
    public var count: Int { attributes.count }
    /// The token a text begins with.
    public var bos: TokenID? { special.bos }
    /// The token a text ends with.
    public var eos: TokenID? { special.eos }
    /// The token a turn of a conversation ends with.
    public var eot: TokenID? { special.eot }
    /// The token for what the vocabulary cannot express.
    public var unknown: TokenID? { special.unknown }
    /// The token that fills up batches.
    public var padding: TokenID? { special.padding }
    /// The tokens of the fill-in-the-middle format.
    public var infill: InfillTokens { special.infill }

    /// Whether generation ends at `token`: the end of a text, turn or message, or of a file within a prompt.
    public func isEndOfGeneration(_ token: TokenID) -> Bool { special.endOfGeneration.contains(token) }

    /// All tokens at which generation ends, ascending.
    public var endOfGeneration: [TokenID] { special.endOfGeneration.sorted() }

    /// The kind of `token`; nil outside the vocabulary.
    public func type(of token: TokenID) -> TokenType? {
        attributes.indices.contains(Int(token)) ? attributes[Int(token)].type : nil
    }

    /// The text of `token` as the vocabulary spells it; nil outside the vocabulary.
    public func text(of token: TokenID) -> String? {
        guard attributes.indices.contains(Int(token)) else { return nil }
        return String(decoding: table.bytes[table.range(of: Int(token))], as: UTF8.self)
    }

    /// The token the vocabulary spells `text`.
    public func token(_ text: String) -> TokenID? { table.find(text.utf8) }
}
