// Checking every byte of a datastore.

public import InferSupport

extension Datastore {
    /// Checks the whole store: checksums, padding, document table, token ids, and that the suffix array is the one of the tokens.
    ///
    /// Takes 4 bytes of memory per token.
    ///
    /// - Parameter progress: Called now and then with the share that is done.
    /// - Throws: ``InferenceError`` with `malformedDatastore` that names what is wrong first.
    public func verify(progress: (Double) -> Void = { _ in }) throws(InferenceError) {
        try verifyChecksums()
        progress(0.2)
        try verifyDocuments()
        progress(0.4)
        try verifySuffixes(progress)
        progress(1)
    }

    /// Checks the checksums and the padding alone: that the store has the bytes it was written with. Header and table have been
    /// checked, and sections that this version does not know count too.
    func verifyChecksums() throws(InferenceError) {
        var end = header.prefixLength
        for section in header.sections.sorted(by: { ($0.offset, $0.length) < ($1.offset, $1.length) }) {
            let title = DatastoreHeader.Kind(rawValue: section.kind)?.title ?? "section of kind \(section.kind)"
            try verifyPadding(end, to: section.offset)
            end = section.offset + section.length
            guard XXHash64.hash(UnsafeRawBufferPointer(rebasing: file.bytes[section.offset..<end])) == section.checksum
            else { throw malformed("the checksum of the \(title) is wrong") }
        }
        try verifyPadding(end, to: byteCount - DatastoreHeader.footerSize)
    }

    /// Checks what lies between two sections: less than one would be moved by to begin at a proper place, and all of it zero.
    private func verifyPadding(_ start: Int, to end: Int) throws(InferenceError) {
        guard (0..<DatastoreHeader.alignment).contains(end - start), file.bytes[start..<end].allSatisfy({ $0 == 0 })
        else { throw malformed("the bytes from \(start) to \(end) are no padding") }
    }

    /// Checks the sections that hold documents' names and places, which are small.
    package func verifyNames() throws(InferenceError) {
        for kind in [DatastoreHeader.Kind.documents, .names, .tokenizer] {
            guard let section = header.section(kind), XXHash64.hash(bytes(kind)) == section.checksum else {
                throw malformed("the checksum of the \(kind.title) is wrong")
            }
        }
    }

    private func malformed(_ what: String) -> InferenceError {
        InferenceError(.malformedDatastore, "\(path): \(what)")
    }

    /// Checks that the documents are next to each other, and that a separator ends each and is nowhere else.
    func verifyDocuments() throws(InferenceError) {
        let tokens = index.tokens
        var end = 0
        var nameEnd = 0
        for document in 0..<documentCount {
            let (start, nameStart) = entry(document)
            let next = entry(document + 1)
            guard start == end, nameStart == nameEnd, next.tokenStart > start, next.tokenStart <= tokenCount,
                next.nameStart >= nameStart, next.nameStart <= bytes(.names).count
            else { throw malformed("document \(document) has no proper place") }
            (end, nameEnd) = next
            for position in start..<end {
                let token = tokens[position]
                guard token <= tokens.separator, (token == tokens.separator) == (position == end - 1) else {
                    throw malformed("token \(token) at position \(position) does not belong there")
                }
            }
        }
        guard end == tokenCount, nameEnd == bytes(.names).count else {
            throw malformed("the documents do not cover the tokens and names")
        }
    }

    private func verifySuffixes(_ progress: (Double) -> Void) throws(InferenceError) {
        let tokens = index.tokens
        let suffixes = index.suffixes
        // Ranks of all suffixes: a permutation, and neighbours in order by first token and rank of the rest. Separators
        // come after all tokens; which of them first decides no order of interest, as no look-up goes beyond one.
        let unknown = UInt32.max
        var ranks = [UInt32](repeating: unknown, count: tokenCount)
        for rank in suffixes.indices {
            let position = Int(suffixes[rank])
            guard position < tokenCount, tokens[position] < tokens.separator, ranks[position] == unknown else {
                throw malformed("suffix \(rank) begins at \(position), which is not a place of its own")
            }
            ranks[position] = UInt32(rank)
        }
        progress(0.7)
        for rank in suffixes.indices.dropFirst() {
            let previous = Int(suffixes[rank - 1])
            let current = Int(suffixes[rank])
            let (first, second) = (tokens[previous], tokens[current])
            guard first < second || (first == second && ranks[previous + 1] <= ranks[current + 1]) else {
                throw malformed("suffixes \(rank - 1) and \(rank) are out of order")
            }
        }
        for token in 0..<header.vocabularyCount {
            let lower = Int(index.view.buckets[token])
            let upper = Int(index.view.buckets[token + 1])
            guard lower <= upper, upper <= suffixes.count,
                lower == upper
                    || (Int(tokens[Int(suffixes[lower])]) == token && Int(tokens[Int(suffixes[upper - 1])]) == token)
            else { throw malformed("the bucket of token \(token) is wrong") }
        }
        guard index.view.buckets[0] == 0, Int(index.view.buckets[header.vocabularyCount]) == suffixes.count else {
            throw malformed("the buckets do not cover the suffixes")
        }
    }
}
