// Writing a datastore file, and taking over the documents of others.

package import InferSupport
import InferTokenizers

/// Writes datastore files. The same corpus always gives the same bytes.
package enum DatastoreWriter {
    /// Writes `corpus` to `path`. Writes to a temporary name in the same folder, syncs, then renames: the file at
    /// `path` is always either the old one or the complete new one.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`, or with `invalidArgument` if the corpus has another
    ///   vocabulary than `tokenizer`.
    package static func write(
        _ corpus: SortedCorpus, tokenizer: TokenizerIdentity, to path: String
    ) throws(InferenceError) {
        guard corpus.corpus.vocabularyCount == tokenizer.vocabularyCount else {
            throw InferenceError(
                .invalidArgument,
                "a corpus over \(corpus.corpus.vocabularyCount) tokens is not one of \(tokenizer.summary)")
        }
        let documents = documentTable(corpus.corpus)
        let names = corpus.corpus.names
        let title = Array(tokenizer.name.utf8)
        let file = try OutputFile(replacing: path)
        try documents.withUnsafeBufferPointer { documents throws(InferenceError) in
            try names.withUnsafeBufferPointer { names throws(InferenceError) in
                try title.withUnsafeBufferPointer { title throws(InferenceError) in
                    try write(
                        [
                            (.tokens, corpus.corpus.bytes), (.suffixes, UnsafeRawBufferPointer(corpus.suffixes)),
                            (.buckets, UnsafeRawBufferPointer(corpus.buckets)),
                            (.documents, UnsafeRawBufferPointer(documents)), (.names, UnsafeRawBufferPointer(names)),
                            (.tokenizer, UnsafeRawBufferPointer(title)),
                        ], corpus.corpus, tokenizer, file)
                }
            }
        }
        try file.commit()
    }

    private static func documentTable(_ corpus: Corpus) -> [UInt32] {
        var table: [UInt32] = []
        table.reserveCapacity(2 * corpus.documentCount + 2)
        for (start, name) in zip(corpus.documentStarts, corpus.nameStarts) {
            table.append(start)
            table.append(name)
        }
        return table + [UInt32(corpus.tokenCount), UInt32(corpus.names.count)]
    }

    private static func write(
        _ sections: [(kind: DatastoreHeader.Kind, bytes: UnsafeRawBufferPointer)], _ corpus: Corpus,
        _ tokenizer: TokenizerIdentity, _ file: OutputFile
    ) throws(InferenceError) {
        var header = DatastoreHeader(
            tokenWidth: TokenBuffer.width(vocabularyCount: tokenizer.vocabularyCount),
            fingerprint: tokenizer.fingerprint, vocabularyCount: tokenizer.vocabularyCount,
            tokenCount: corpus.tokenCount, documentCount: corpus.documentCount, fileLength: 0, sections: [])
        var offset = DatastoreHeader.size + sections.count * DatastoreHeader.entrySize
        func align(_ offset: Int) -> Int {
            (offset + DatastoreHeader.alignment - 1) / DatastoreHeader.alignment * DatastoreHeader.alignment
        }
        for section in sections {
            offset = align(offset)
            header.sections.append(
                DatastoreHeader.Section(
                    kind: section.kind.rawValue, offset: offset, length: section.bytes.count,
                    checksum: XXHash64.hash(section.bytes)))
            offset += section.bytes.count
        }
        header.fileLength = align(offset) + DatastoreHeader.footerSize
        try file.append(header.encoded)
        for section in sections {
            try file.pad(to: DatastoreHeader.alignment)
            try file.append(section.bytes)
        }
        try file.pad(to: DatastoreHeader.alignment)
        try file.append(header.footer)
    }
}

extension Corpus {
    /// Adds the documents of `store`, except those whose hash is in `known`. Adds the hashes of the new ones to
    /// `known`.
    ///
    /// - Returns: The number of documents left out.
    /// - Throws: ``InferenceError`` with `incompatibleDatastore` for another vocabulary, with `malformedDatastore` for
    ///   a damaged store, or as ``append(_:name:)`` does.
    package func append(_ store: Datastore, known: inout Set<UInt64>) throws(InferenceError) -> Int {
        guard store.tokenizer.vocabularyCount == vocabularyCount else {
            throw InferenceError(
                .incompatibleDatastore,
                "\(store.path) was built for \(store.tokenizer.summary), not for a vocabulary of \(vocabularyCount) tokens"
            )
        }
        // A damaged store must not get new, valid checksums. Its suffixes need no check, because they are sorted again.
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
