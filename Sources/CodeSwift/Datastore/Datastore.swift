// A datastore file, opened.

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

    /// For tests. The byte ranges of the sections in the file. The bytes between them are padding.
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
