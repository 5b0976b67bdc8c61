// A datastore file: opening, looking up, checking.

public import InferSupport
import Synchronization

/// A corpus as token ids with its suffix array, mapped from a file.
///
/// Opening takes the same time for any size and checks only the fixed parts; ``verify(progress:)`` checks everything. A
/// damaged store can give bad drafts, never a fault and never another output. Replacing the file by renaming, as
/// ``DatastoreWriter`` does, leaves open stores what they are.
public final class Datastore: Sendable {
    /// The tokenizer it was built with.
    public let tokenizer: TokenizerIdentity
    /// Number of documents.
    public var documentCount: Int { header.documentCount }
    /// Number of tokens, the separators after each document included.
    public var tokenCount: Int { header.tokenCount }
    /// Size of the file in bytes.
    public var byteCount: Int { header.fileLength }
    /// The path it was opened by.
    public var path: String { file.path }

    /// Its suffix array.
    package let index: SuffixIndex
    let header: DatastoreHeader
    let file: MappedFile
    private let isBeingRead = Atomic(false)

    /// Opens the datastore at `path`.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`, `malformedDatastore`, or `incompatibleDatastore` for one of
    ///   another version or byte order.
    public convenience init(path: String) throws(InferenceError) {
        try self.init(MappedFile(path: path))
    }

    /// A datastore from a file's bytes.
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

    /// Whether look-ups find it in memory, as far as anything is done about that. One that is still being read would keep a draft
    /// waiting at every place that is not there yet: drafting does better without until then.
    package var isReady: Bool { !isBeingRead.load(ordering: .acquiring) }

    /// Opens the datastores at `paths`, which must all be for `tokenizer`, and begins to bring them into memory; ``isReady`` tells
    /// when they are.
    ///
    /// - Throws: as ``init(path:)`` and ``requireTokenizer(_:)`` do.
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

    /// Throws unless the store's ids are those of `other`.
    ///
    /// - Throws: ``InferenceError`` with `incompatibleDatastore` and a message that names both tokenizers.
    public func requireTokenizer(_ other: TokenizerIdentity) throws(InferenceError) {
        guard tokenizer.fingerprint == other.fingerprint, tokenizer.vocabularyCount == other.vocabularyCount else {
            throw InferenceError(
                .incompatibleDatastore,
                "\(path) was built for the tokenizer \(tokenizer.summary); this model has \(other.summary)")
        }
    }

    /// Bytes of the smallest store that is not looked up before it is in memory: less is there in a few milliseconds.
    private static let leastWorthWaiting = 1 << 24

    /// Brings the store into memory in the background, if it is less than half of the machine's: look-ups go all over it, and each
    /// place that is not there yet would keep a draft waiting.
    private func prefetch() {
        let (memory, overflow) = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(
            by: sysconf(Int32(_SC_PAGESIZE)))
        guard !overflow, byteCount < memory / 2 else { return }
        isBeingRead.store(byteCount >= Self.leastWorthWaiting, ordering: .relaxed)
        let isUnderWay = WorkerThreads.detach(priority: .normal) { [self] in
            file.populate()
            isBeingRead.store(false, ordering: .releasing)
        }
        // Without a thread for it, look-ups wait; nothing else is different.
        if !isUnderWay { isBeingRead.store(false, ordering: .relaxed) }
    }

    /// Where the sections lie in the file; what is between them is padding.
    package var sectionRanges: [Range<Int>] { header.sections.map { $0.offset..<$0.offset + $0.length } }

    /// The bytes of a section, whose place ``DatastoreHeader`` has checked.
    static func bytes(_ kind: DatastoreHeader.Kind, _ header: DatastoreHeader, _ file: MappedFile)
        -> UnsafeRawBufferPointer
    {
        guard let section = header.section(kind) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: file.bytes[section.offset..<section.offset + section.length])
    }

    func bytes(_ kind: DatastoreHeader.Kind) -> UnsafeRawBufferPointer { Self.bytes(kind, header, file) }
}

extension Datastore {
    /// One document's place.
    package struct Document: Equatable, Sendable {
        /// Its name: a path relative to the root it was found under.
        package var name: String
        /// Its tokens, the separator after them left out.
        package var tokens: Range<Int>
    }

    /// The document at `index`; where the table is damaged, an empty one.
    package func document(_ index: Int) -> Document? {
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

    /// The index of the document that `position` lies in.
    package func documentIndex(at position: Int) -> Int? {
        var lower = 0
        var upper = documentCount
        while lower < upper {
            let middle = (lower + upper) / 2
            if entry(middle + 1).tokenStart > position { upper = middle } else { lower = middle + 1 }
        }
        return lower < documentCount && entry(lower).tokenStart <= position ? lower : nil
    }

    /// An entry of the document table, which has one more than there are documents.
    func entry(_ index: Int) -> (tokenStart: Int, nameStart: Int) {
        let table = bytes(.documents)
        return (
            Int(UInt32(littleEndian: table.load(fromByteOffset: index * 8, as: UInt32.self))),
            Int(UInt32(littleEndian: table.load(fromByteOffset: index * 8 + 4, as: UInt32.self)))
        )
    }
}

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
