// Taking over the documents of datastores.

package import InferSupport
import InferTokenizers

extension Corpus {
    /// Adds the documents of `store`, but not those whose tokens are in `known`, where the hashes of the new ones go.
    ///
    /// - Returns: How many were left out.
    /// - Throws: ``InferenceError`` with `incompatibleDatastore` for another vocabulary, with `malformedDatastore` for a damaged
    ///   store, or as ``append(_:name:)`` does.
    package func append(_ store: Datastore, known: inout Set<UInt64>) throws(InferenceError) -> Int {
        guard store.tokenizer.vocabularyCount == vocabularyCount else {
            throw InferenceError(
                .incompatibleDatastore,
                "\(store.path) was built for \(store.tokenizer.summary), not for a vocabulary of \(vocabularyCount) tokens"
            )
        }
        // Damage must not get new checksums. The suffixes are sorted anew.
        try store.verifyChecksums()
        try store.verifyDocuments()
        let bytes = store.bytes(.tokens)
        var leftOut = 0
        for number in 0..<store.documentCount {
            guard let document = store.document(number), !document.tokens.isEmpty else { continue }
            let width = store.header.tokenWidth
            let place = document.tokens.lowerBound * width..<document.tokens.upperBound * width
            guard known.insert(XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes[place]))).inserted else {
                leftOut += 1
                continue
            }
            try append(document.tokens.map { store.index.tokenAt($0) }, name: Array(document.name.utf8))
        }
        return leftOut
    }
}
