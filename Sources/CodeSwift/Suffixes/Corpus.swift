// Documents as token ids: gathered one by one, then sorted by suffix.

package import InferSupport
package import InferTokenizers

/// Token ids of documents, one document after the other with a separator after each, and the documents' names.
package final class Corpus {
    /// Tokens in the vocabulary; the separator is the id after the last.
    package let vocabularyCount: Int
    /// Number of tokens, separators included.
    package private(set) var tokenCount = 0
    /// Position of the first token of every document.
    package private(set) var documentStarts: [UInt32] = []
    /// Start of every document's name in ``names``.
    package private(set) var nameStarts: [UInt32] = []
    /// The names, one after the other.
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

    /// The tokens so far; valid until the next change and as long as the corpus lives.
    var tokens: TokenBuffer {
        TokenBuffer(
            bytes: UnsafeRawBufferPointer(memory), count: tokenCount, width: width, separator: UInt32(vocabularyCount))
    }

    /// The tokens' bytes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<(tokenCount * width)]) }

    /// Adds a document; one without tokens is left out.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` when a token lies outside the vocabulary, or when the corpus
    ///   grows beyond ``SuffixSorter/maximumCount`` tokens.
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

/// A read-only view of token ids; reading beyond the end gives the separator.
struct TokenBuffer {
    let bytes: UnsafeRawBufferPointer
    let count: Int
    /// Two or four.
    let width: Int
    /// The id that stands between documents: the one after the vocabulary's last.
    let separator: UInt32

    /// Bytes per token that hold every id of a vocabulary of `count` tokens, and the separator.
    static func width(vocabularyCount count: Int) -> Int { count < 1 << 16 ? 2 : 4 }

    /// The id at `position`, which need not be inside.
    subscript(position: Int) -> UInt32 {
        guard position >= 0, position < count else { return separator }
        if width == 2 { return UInt32(bytes.load(fromByteOffset: position &* 2, as: UInt16.self)) }
        return bytes.load(fromByteOffset: position &* 4, as: UInt32.self)
    }
}

/// A finished corpus and the sorted suffixes of its tokens.
///
/// Sendable because nothing changes any more.
package final class SortedCorpus: @unchecked Sendable {
    /// The documents; not to be changed.
    let corpus: Corpus
    /// All suffixes; those that begin with a separator come last.
    private let allSuffixes: UnsafeMutableBufferPointer<UInt32>
    private let allBuckets: UnsafeMutableBufferPointer<UInt32>

    /// Sorts the suffixes of `corpus`, which is not to be changed afterwards.
    ///
    /// - Parameter progress: Called now and then with the share that is done.
    /// - Throws: ``InferenceError`` as ``SuffixSorter`` does.
    package init(_ corpus: consuming Corpus, progress: (Double) -> Void = { _ in }) throws(InferenceError) {
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

    /// Start of every suffix that does not begin with a separator.
    var suffixes: UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(rebasing: allSuffixes[..<(corpus.tokenCount - corpus.documentCount)])
    }

    /// Index of the first suffix that begins with each token, and the number of suffixes.
    var buckets: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(allBuckets) }

    /// Its suffix array for look-ups.
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
