// Documents as token ids, being gathered.

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
