// Some files of a working tree, sorted.

import InferTokenizers

/// Documents of a repository that were indexed together. Never changes.
final class RepositorySegment: Sendable {
    let corpus: SortedCorpus
    /// Where each document's tokens are, the separator left out.
    let ranges: [Range<Int>]

    /// The documents' names.
    let names: [[UInt8]]

    init(_ corpus: SortedCorpus) {
        self.corpus = corpus
        let starts = corpus.corpus.documentStarts.map { Int($0) } + [corpus.corpus.tokenCount]
        names = corpus.corpus.documentNames
        ranges = zip(starts, starts.dropFirst()).map { $0..<$1 - 1 }
    }

    /// Number of tokens, separators included.
    var tokenCount: Int { corpus.corpus.tokenCount }

    /// The tokens of a document.
    func tokens(_ document: Int) -> [TokenID] {
        let tokens = corpus.corpus.tokens
        return ranges[document].map { TokenID(bitPattern: tokens[$0]) }
    }
}
