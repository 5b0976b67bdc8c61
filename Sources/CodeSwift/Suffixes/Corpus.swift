// Documents as token ids: gathered one by one, then sorted by suffix.

package import InferSupport
package import InferTokenizers

/// The token ids of documents, concatenated with a separator after each document, and the documents' names.
package final class Corpus {
    /// Number of tokens in the vocabulary. The separator is the id after the last one.
    package let vocabularyCount: Int
    /// Number of tokens, including separators.
    package private(set) var tokenCount = 0
    /// Position of the first token of each document.
    package private(set) var documentStarts: [UInt32] = []
    /// Offset of each document's name in ``names``.
    package private(set) var nameStarts: [UInt32] = []
    /// The names in UTF-8, concatenated.
    package private(set) var names: [UInt8] = []

    /// The documents' names.
    package var documentNames: [[UInt8]] {
        let ends = nameStarts.dropFirst().map { Int($0) } + [names.count]
        return zip(nameStarts, ends).map { Array(names[Int($0)..<$1]) }
    }

    private let width: Int
    private var memory: UnsafeMutableRawBufferPointer

    /// An empty corpus for a vocabulary.
    package init(vocabularyCount: Int) {
        self.vocabularyCount = vocabularyCount
        width = TokenBuffer.width(vocabularyCount: vocabularyCount)
        memory = .allocate(byteCount: 1 << 12, alignment: 64)
    }

    deinit { memory.deallocate() }

    /// Number of documents.
    package var documentCount: Int { documentStarts.count }

    /// A view of the tokens; valid until the next change and while the corpus exists.
    var tokens: TokenBuffer {
        TokenBuffer(
            bytes: UnsafeRawBufferPointer(memory), count: tokenCount, width: width, separator: UInt32(vocabularyCount))
    }

    /// The same tokens as bytes: ``tokenCount`` values of 2 or 4 bytes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<(tokenCount * width)]) }

    /// Adds a document. A document without tokens is ignored.
    ///
    /// - Parameters:
    ///   - document: Token ids in 0..<``vocabularyCount``.
    ///   - name: The document's name in UTF-8.
    /// - Throws: ``InferenceError`` with `invalidArgument` when a token is outside the vocabulary, or when the corpus
    ///   would exceed ``SuffixSorter/maximumCount`` tokens.
    package func append(_ document: some Collection<TokenID>, name: some Collection<UInt8>) throws(InferenceError) {
        guard !document.isEmpty else { return }
        let (end, overflow) = tokenCount.addingReportingOverflow(document.count + 1)
        guard !overflow, end <= SuffixSorter.maximumCount, names.count + name.count <= SuffixSorter.maximumCount else {
            throw InferenceError(
                .invalidArgument,
                "more than \(SuffixSorter.maximumCount) tokens do not fit one datastore; build several from parts")
        }
        if let token = document.first(where: { $0 < 0 || Int($0) >= vocabularyCount }) {
            throw InferenceError(
                .invalidArgument, "token \(token) lies outside the vocabulary of \(vocabularyCount) tokens")
        }
        reserve(end)
        documentStarts.append(UInt32(tokenCount))
        nameStarts.append(UInt32(names.count))
        names.append(contentsOf: name)
        var position = tokenCount
        for token in document {
            store(UInt32(token), at: position)
            position += 1
        }
        store(UInt32(vocabularyCount), at: position)
        tokenCount = end
    }

    private func store(_ token: UInt32, at position: Int) {
        if width == 2 {
            memory.storeBytes(of: UInt16(truncatingIfNeeded: token), toByteOffset: position * 2, as: UInt16.self)
        } else {
            memory.storeBytes(of: token, toByteOffset: position * 4, as: UInt32.self)
        }
    }

    private func reserve(_ count: Int) {
        guard count * width > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(count * width, memory.count * 3 / 2), alignment: 64)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}

/// A read-only view of token ids in memory that another object owns. Reading outside the range gives the separator.
struct TokenBuffer {
    let bytes: UnsafeRawBufferPointer
    let count: Int
    /// Bytes per token: 2 or 4.
    let width: Int
    /// The id between documents: the one after the vocabulary's last.
    let separator: UInt32

    /// The bytes per token needed for every id of a vocabulary of `count` tokens and for the separator.
    static func width(vocabularyCount count: Int) -> Int { count < 1 << 16 ? 2 : 4 }

    /// The id at `position`, which may be out of range.
    subscript(position: Int) -> UInt32 {
        guard position >= 0, position < count else { return separator }
        if width == 2 { return UInt32(bytes.load(fromByteOffset: position &* 2, as: UInt16.self)) }
        return bytes.load(fromByteOffset: position &* 4, as: UInt32.self)
    }
}

/// A finished corpus with the sorted suffixes of its tokens.
///
/// Sendable because it is immutable after `init`.
package final class SortedCorpus: @unchecked Sendable {
    /// The documents. They must not change any more.
    let corpus: Corpus
    /// All suffixes; those that begin with a separator are last.
    private let allSuffixes: UnsafeMutableBufferPointer<UInt32>
    private let allBuckets: UnsafeMutableBufferPointer<UInt32>

    /// Sorts the suffixes of `corpus`, which must not change afterwards.
    ///
    /// - Parameter progress: Receives the fraction done, from 0 to 1, a few times.
    /// - Throws: ``InferenceError`` as ``SuffixSorter/sort(_:alphabet:into:_:)`` does, and what `progress` throws.
    package init(
        _ corpus: consuming Corpus, progress: (Double) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        self.corpus = corpus
        allSuffixes = .allocate(capacity: corpus.tokenCount)
        allBuckets = .allocate(capacity: corpus.vocabularyCount + 1)
        let alphabet = corpus.vocabularyCount + 1
        if TokenBuffer.width(vocabularyCount: corpus.vocabularyCount) == 2 {
            try SuffixSorter.sort(
                corpus.bytes.bindMemory(to: UInt16.self), alphabet: alphabet, into: allSuffixes, progress)
        } else {
            try SuffixSorter.sort(
                corpus.bytes.bindMemory(to: UInt32.self), alphabet: alphabet, into: allSuffixes, progress)
        }
        countBuckets()
    }

    deinit {
        allSuffixes.deallocate()
        allBuckets.deallocate()
    }

    /// The start positions of the suffixes that do not begin with a separator, in sorted order.
    var suffixes: UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(rebasing: allSuffixes[..<(corpus.tokenCount - corpus.documentCount)])
    }

    /// For each token the index of the first suffix that begins with it; at the end the number of suffixes.
    var buckets: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(allBuckets) }

    /// A suffix array over this corpus, for look-ups.
    package var index: SuffixIndex {
        SuffixIndex(owner: self, tokens: corpus.tokens, suffixes: suffixes, buckets: buckets)
    }

    private func countBuckets() {
        let tokens = corpus.tokens
        allBuckets.initialize(repeating: 0)
        for position in 0..<tokens.count {
            let next = Int(tokens[position]) + 1
            if next < allBuckets.count { allBuckets[next] += 1 }
        }
        for token in allBuckets.indices.dropFirst() { allBuckets[token] += allBuckets[token - 1] }
    }
}
