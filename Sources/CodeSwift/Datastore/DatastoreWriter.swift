// Writing a datastore file.

package import InferSupport

/// Writes datastores. The same corpus gives the same bytes.
package enum DatastoreWriter {
    /// Writes `corpus` to `path`: under a temporary name in the same directory, synced, then renamed, so that the file is
    /// either the old one or all of the new one.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile` or `invalidArgument`.
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
