// A datastore file: opening, looking up, checking.

public import InferSupport
public import InferTokenizers
import Synchronization

/// Code (or any text) as token ids with a suffix array, mapped from a file. Sessions draft from it.
///
/// Opening takes the same time for any size and checks only header and footer; ``verify(progress:)`` checks everything.
/// A damaged datastore can give bad drafts, but never a fault and never another output. If the file is replaced by
/// renaming, as ``DatastoreBuilder`` does, an open datastore keeps the old contents.
///
/// ```swift
/// let store = try Datastore(path: "sources.store")
/// print(store.documentCount, "documents,", store.tokenCount, "tokens")
/// let tokens = model.tokenizer.encode("for (index, ", addSpecial: false)
/// if let match = store.longestMatch(endingIn: tokens) {
///     for next in match.continuations { print(next.count, model.tokenizer.decode([next.token])) }
/// }
/// ```
///
/// To draft from it, pass its path in `CodeSwiftOptions.datastores`.
public final class Datastore: Sendable {
    /// The tokenizer that it was built with.
    public let tokenizer: TokenizerIdentity
    /// Number of documents.
    public var documentCount: Int { header.documentCount }
    /// Number of tokens, including a separator after each document.
    public var tokenCount: Int { header.tokenCount }
    /// Size of the file in bytes.
    public var byteCount: Int { header.fileLength }
    /// The path that it was opened with.
    public var path: String { file.path }

    /// The suffix array.
    package let index: SuffixIndex
    let header: DatastoreHeader
    let file: MappedFile
    private let isBeingRead = Atomic(false)

    /// Opens the datastore at `path`.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`, with `malformedDatastore` if the file is not a datastore or
    ///   is damaged, or with `incompatibleDatastore` if it has another version or byte order.
    public convenience init(path: String) throws(InferenceError) {
        try self.init(MappedFile(path: path))
    }

    /// A datastore in the bytes of `file`.
    package init(_ file: MappedFile) throws(InferenceError) {
        let header = try DatastoreHeader(file)
        self.header = header
        self.file = file
        tokenizer = TokenizerIdentity(
            name: String(decoding: Self.bytes(.tokenizer, header, file), as: UTF8.self),
            fingerprint: header.fingerprint, vocabularyCount: header.vocabularyCount)
        index = SuffixIndex(
            owner: file,
            tokens: TokenBuffer(
                bytes: Self.bytes(.tokens, header, file), count: header.tokenCount, width: header.tokenWidth,
                separator: UInt32(header.vocabularyCount)),
            suffixes: Self.bytes(.suffixes, header, file).bindMemory(to: UInt32.self),
            buckets: Self.bytes(.buckets, header, file).bindMemory(to: UInt32.self))
    }

    /// Whether look-ups are fast. While the file is being read into memory, each missing page delays a draft, so that
    /// drafting is faster without the datastore.
    package var isReady: Bool { !isBeingRead.load(ordering: .acquiring) }

    /// Opens the datastores at `paths`, which must all be for `tokenizer`, and starts to read them into memory; see
    /// ``isReady``.
    ///
    /// - Throws: ``InferenceError`` as ``init(path:)`` and ``requireTokenizer(_:)`` do.
    package static func open(_ paths: [String], for tokenizer: TokenizerIdentity) throws(InferenceError) -> [Datastore]
    {
        var stores: [Datastore] = []
        for path in paths {
            let store = try Datastore(path: path)
            try store.requireTokenizer(tokenizer)
            store.prefetch()
            stores.append(store)
        }
        return stores
    }

    /// Throws unless the datastore was built for the tokenizer `other`.
    ///
    /// - Throws: ``InferenceError`` with `incompatibleDatastore` and a message that names both tokenizers.
    public func requireTokenizer(_ other: TokenizerIdentity) throws(InferenceError) {
        guard tokenizer.fingerprint == other.fingerprint, tokenizer.vocabularyCount == other.vocabularyCount else {
            throw InferenceError(
                .incompatibleDatastore,
                "\(path) was built for the tokenizer \(tokenizer.summary); this model has \(other.summary)")
        }
    }

    /// A smaller file is used at once, because reading it takes only a few milliseconds.
    private static let leastWorthWaiting = 1 << 24

    /// Reads the file into memory in the background if it is smaller than half of the machine's memory. Look-ups are
    /// spread over the whole file, and each missing page would delay a draft.
    private func prefetch() {
        let (memory, overflow) = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(
            by: sysconf(Int32(_SC_PAGESIZE)))
        guard !overflow, byteCount < memory / 2 else { return }
        isBeingRead.store(byteCount >= Self.leastWorthWaiting, ordering: .relaxed)
        let isUnderWay = WorkerThreads.detach(priority: .normal) { [self] in
            file.populate()
            isBeingRead.store(false, ordering: .releasing)
        }
        // Without a background thread, pages are read when they are needed.
        if !isUnderWay { isBeingRead.store(false, ordering: .relaxed) }
    }

    /// For tests. The ranges of the sections in the file. The bytes between them are padding.
    package var sectionRanges: [Range<Int>] { header.sections.map { $0.offset..<$0.offset + $0.length } }

    /// The bytes of a section. ``DatastoreHeader`` has checked that it is inside the file.
    static func bytes(_ kind: DatastoreHeader.Kind, _ header: DatastoreHeader, _ file: MappedFile)
        -> UnsafeRawBufferPointer
    {
        guard let section = header.section(kind) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: file.bytes[section.offset..<section.offset + section.length])
    }

    func bytes(_ kind: DatastoreHeader.Kind) -> UnsafeRawBufferPointer { Self.bytes(kind, header, file) }
}

// MARK: Documents

extension Datastore {
    /// A document's name and position.
    public struct Document: Equatable, Sendable {
        /// The path relative to the folder that was ingested.
        public var name: String
        /// The positions of its tokens, without the separator.
        public var tokens: Range<Int>
    }

    /// The document at `index`: nil if the index is out of range, an empty document if the table is damaged.
    public func document(_ index: Int) -> Document? {
        guard index >= 0, index < documentCount else { return nil }
        let names = bytes(.names)
        let (start, nameStart) = entry(index)
        let (end, nameEnd) = entry(index + 1)
        guard start < end, end <= tokenCount, nameStart <= nameEnd, nameEnd <= names.count else {
            return Document(name: "", tokens: 0..<0)
        }
        return Document(
            name: String(decoding: names[nameStart..<nameEnd], as: UTF8.self), tokens: start..<end - 1)
    }

    /// The index of the document that contains `position`; nil if it is out of range.
    public func documentIndex(at position: Int) -> Int? {
        var lower = 0
        var upper = documentCount
        while lower < upper {
            let middle = (lower + upper) / 2
            if entry(middle + 1).tokenStart > position { upper = middle } else { lower = middle + 1 }
        }
        return lower < documentCount && entry(lower).tokenStart <= position ? lower : nil
    }

    /// The token ids at `positions`, such as those of a document. The id after the vocabulary's last is the separator; it
    /// also stands for positions outside 0..<``tokenCount``.
    public func tokens(at positions: Range<Int>) -> [TokenID] { positions.map { index.tokenAt($0) } }

    /// An entry of the document table, which has ``documentCount`` + 1 entries.
    func entry(_ index: Int) -> (tokenStart: Int, nameStart: Int) {
        let table = bytes(.documents)
        return (
            Int(UInt32(littleEndian: table.load(fromByteOffset: index * 8, as: UInt32.self))),
            Int(UInt32(littleEndian: table.load(fromByteOffset: index * 8 + 4, as: UInt32.self)))
        )
    }
}

// MARK: Looking up

extension Datastore {
    /// A token that follows a match, and the number of occurrences that it follows.
    public typealias Continuation = InferCodeSwift.Continuation

    /// The longest ending of a text that occurs in a datastore.
    public struct Match: Hashable, Sendable {
        /// Number of tokens that match, at least 1.
        public var length: Int
        /// Number of occurrences in all documents, at least 1.
        public var count: Int
        /// The tokens that follow the occurrences: the most frequent first, then by id. If there are more than 48
        /// occurrences, the counts are estimates from 32 of them.
        public var continuations: [Continuation]
    }

    /// Finds the longest ending of `tokens` that occurs, and what follows it. Takes a few microseconds to milliseconds,
    /// depending on how much of the file is in memory.
    ///
    /// - Parameters:
    ///   - tokens: The end of a text, as ids of the datastore's ``tokenizer``.
    ///   - maximumLength: Maximum number of tokens to match.
    ///   - limit: Maximum number of continuations.
    /// - Returns: Nil if not even the last token occurs, or if `tokens` is empty.
    public func longestMatch(endingIn tokens: [TokenID], maximumLength: Int = 64, limit: Int = 10) -> Match? {
        guard let range = index.longestEnding(of: tokens.suffix(max(maximumLength, 0))) else { return nil }
        var continuations: [Continuation] = []
        index.continuations(of: range, limit: max(limit, 0), into: &continuations)
        return Match(length: range.length, count: range.count, continuations: continuations)
    }
}

// MARK: Checking

extension Datastore {
    /// Checks the whole file: checksums, padding, document table, token ids, and that the suffix array belongs to the
    /// tokens.
    ///
    /// Takes time proportional to the size, and 4 bytes of memory per token.
    ///
    /// - Parameter progress: Receives the fraction done, from 0 to 1, a few times.
    /// - Throws: ``InferenceError`` with `malformedDatastore`; the message names the first fault.
    public func verify(progress: (Double) -> Void = { _ in }) throws(InferenceError) {
        try verifyChecksums()
        progress(0.2)
        try verifyDocuments()
        progress(0.4)
        try verifySuffixes(progress)
        progress(1)
    }

    /// Checks the checksums and the padding: that the file still has the bytes it was written with. Includes sections
    /// that this version does not know. Header and table have been checked before.
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

    /// Checks the bytes between two sections: fewer than ``DatastoreHeader/alignment``, and all zero.
    private func verifyPadding(_ start: Int, to end: Int) throws(InferenceError) {
        guard (0..<DatastoreHeader.alignment).contains(end - start), file.bytes[start..<end].allSatisfy({ $0 == 0 })
        else { throw malformed("the bytes from \(start) to \(end) are no padding") }
    }

    /// Checks the small sections: document table, names, tokenizer.
    public func verifyNames() throws(InferenceError) {
        for kind in [DatastoreHeader.Kind.documents, .names, .tokenizer] {
            guard let section = header.section(kind), XXHash64.hash(bytes(kind)) == section.checksum else {
                throw malformed("the checksum of the \(kind.title) is wrong")
            }
        }
    }

    private func malformed(_ what: String) -> InferenceError {
        InferenceError(.malformedDatastore, "\(path): \(what)")
    }

    /// Checks that the documents are contiguous, and that each ends with a separator and contains no other.
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
        // The ranks of all suffixes must be a permutation, and adjacent suffixes must be in order by first token and
        // rank of the rest. Separators compare larger than all tokens; their order among themselves does not matter,
        // because no look-up crosses one.
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
