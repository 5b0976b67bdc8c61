// The grammars in use, over the tokens of a model.

import InferGrammar
import InferTokenizers
import Synchronization

/// Prepares grammars for a vocabulary, and keeps those that were used last, with the masks that were found for them.
final class GrammarTable: Sendable {
    private struct Content {
        var vocabulary: TokenTrie?
        /// The one that was used last comes last.
        var constraints: [(grammar: Grammar, constraint: GrammarConstraint)] = []
    }

    /// The number of grammars that are kept. Each has up to 32 MiB of masks.
    private static let limit = 8

    private let tokenizer: Tokenizer
    private let content = Mutex(Content())

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// The tokens that `grammar` allows after each text. The first call takes some tenths of a second for a large vocabulary.
    func constraint(for grammar: Grammar) -> GrammarConstraint {
        content.withLock { content in
            let vocabulary = content.vocabulary ?? makeVocabulary()
            content.vocabulary = vocabulary
            let known = content.constraints.firstIndex { $0.grammar == grammar }
            let constraint =
                known.map { content.constraints.remove(at: $0).constraint }
                ?? GrammarConstraint(grammar, vocabulary: vocabulary)
            content.constraints.append((grammar, constraint))
            if content.constraints.count > Self.limit { content.constraints.removeFirst() }
            return constraint
        }
    }

    /// The bytes of all tokens. Marks of the format are no text.
    private func makeVocabulary() -> TokenTrie {
        let tokens = (0..<TokenID(tokenizer.count)).lazy.map { [tokenizer] token in
            tokenizer.isControl(token) || token == tokenizer.unknown ? [] : tokenizer.bytes(of: token)
        }
        return TokenTrie(tokens: tokens, endTokens: tokenizer.endOfGeneration)
    }
}
