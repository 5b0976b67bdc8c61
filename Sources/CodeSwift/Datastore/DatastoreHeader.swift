// The datastore file format: header, section table and footer.

import InferSupport

/// Header and section table of a datastore. All integers are little-endian.
///
/// | offset | type | header                                                        |
/// |--------|------|---------------------------------------------------------------|
/// | 0      | 8    | magic: 0x89 "SIDS" CR LF 0x1A                                 |
/// | 8      | u32  | version, 1                                                    |
/// | 12     | u32  | byte order mark, 0x01020304                                   |
/// | 16     | u32  | bytes per token, 2 or 4                                       |
/// | 20     | u32  | number of sections                                            |
/// | 24     | u64  | tokenizer fingerprint                                         |
/// | 32     | u64  | tokens in the vocabulary                                      |
/// | 40     | u64  | tokens in the store, separators included                      |
/// | 48     | u64  | documents                                                     |
/// | 56     | u64  | length of the file                                            |
///
/// The table follows, an entry per section: kind (u32), zero (u32), offset, length and XXH64 of its bytes (u64 each). The
/// sections follow, each at a multiple of 64. The last 16 bytes are the footer: XXH64 of header and table, then the
/// magic again.
struct DatastoreHeader: Equatable {
    static let magic: [UInt8] = [0x89, 0x53, 0x49, 0x44, 0x53, 0x0D, 0x0A, 0x1A]
    static let version: UInt32 = 1
    static let byteOrderMark: UInt32 = 0x0102_0304
    static let size = 64
    static let entrySize = 32
    static let footerSize = 16
    static let alignment = 64

    var tokenWidth: Int
    var fingerprint: UInt64
    var vocabularyCount: Int
    var tokenCount: Int
    var documentCount: Int
    var fileLength: Int
    var sections: [Section]

    /// A contiguous range of the file.
    struct Section: Equatable {
        var kind: UInt32
        var offset: Int
        var length: Int
        var checksum: UInt64
    }

    /// The kinds of sections.
    enum Kind: UInt32, CaseIterable {
        /// Token ids. Each document ends with a separator: the id after the vocabulary's last.
        case tokens = 1
        /// The start positions of the suffixes that do not begin with a separator, u32, in sorted order.
        case suffixes = 2
        /// For each token, and one more: index of the first suffix that begins with this token or a larger one, u32.
        case buckets = 3
        /// For each document, and one more: position of its first token, and offset of its name in the names; u32 each.
        case documents = 4
        /// The names of the documents, concatenated: paths relative to the folder that was ingested.
        case names = 5
        /// The description of the tokenizer, UTF-8.
        case tokenizer = 6

        /// A name for messages.
        var title: String { "\(self)" }
    }

    /// Number of bytes before the first section.
    var prefixLength: Int { Self.size + sections.count * Self.entrySize }

    /// The section of a kind.
    func section(_ kind: Kind) -> Section? { sections.first { $0.kind == kind.rawValue } }

    /// Header and section table as bytes of the file.
    var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.appendLittleEndian(Self.version)
        bytes.appendLittleEndian(Self.byteOrderMark)
        bytes.appendLittleEndian(UInt32(tokenWidth))
        bytes.appendLittleEndian(UInt32(sections.count))
        bytes.appendLittleEndian(fingerprint)
        for value in [vocabularyCount, tokenCount, documentCount, fileLength] {
            bytes.appendLittleEndian(UInt64(value))
        }
        for section in sections {
            bytes.appendLittleEndian(UInt64(section.kind))
            bytes.appendLittleEndian(UInt64(section.offset))
            bytes.appendLittleEndian(UInt64(section.length))
            bytes.appendLittleEndian(section.checksum)
        }
        return bytes
    }

    /// The footer for ``encoded``.
    var footer: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(XXHash64.hash(encoded))
        return bytes + Self.magic
    }
}

extension DatastoreHeader {
    /// Maximum number of sections. More than this version knows are allowed, so that later versions can add some.
    private static let maximumSections = 64

    /// Reads and checks header, section table and footer of `file`. The time does not depend on the size of the file.
    init(_ file: MappedFile) throws(InferenceError) {
        let bytes = file.bytes
        func malformed(_ what: String) -> InferenceError {
            InferenceError(.malformedDatastore, "\(file.path): \(what)")
        }
        guard bytes.count >= Self.magic.count, bytes.starts(with: Self.magic) else {
            throw malformed("not a datastore: it does not begin with the magic number")
        }
        guard bytes.count >= Self.size + Self.footerSize else {
            throw malformed("the file ends after \(bytes.count) bytes, inside the header")
        }
        func word(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        func long(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard word(12) == Self.byteOrderMark else {
            throw InferenceError(
                .incompatibleDatastore, "\(file.path): the datastore was written with another byte order")
        }
        guard word(8) == Self.version else {
            throw InferenceError(
                .incompatibleDatastore,
                "\(file.path): datastore version \(word(8)) is not supported; this program reads version \(Self.version)"
            )
        }
        guard word(20) <= UInt32(Self.maximumSections),
            Self.size + Int(word(20)) * Self.entrySize + Self.footerSize <= bytes.count
        else { throw malformed("the header claims \(word(20)) sections") }
        let count = Int(word(20))
        let prefix = UnsafeRawBufferPointer(rebasing: bytes[..<(Self.size + count * Self.entrySize)])
        guard long(bytes.count - 16) == XXHash64.hash(prefix), bytes.suffix(8).elementsEqual(Self.magic) else {
            throw malformed("header and footer do not agree: the file is damaged or cut short")
        }
        func number(_ offset: Int, _ what: String) throws(InferenceError) -> Int {
            guard let value = Int(exactly: long(offset)) else { throw malformed("\(what) is \(long(offset))") }
            return value
        }
        tokenWidth = Int(word(16))
        fingerprint = long(24)
        vocabularyCount = try number(32, "the size of the vocabulary")
        tokenCount = try number(40, "the number of tokens")
        documentCount = try number(48, "the number of documents")
        fileLength = try number(56, "the length of the file")
        sections = []
        for index in 0..<count {
            let entry = Self.size + index * Self.entrySize
            sections.append(
                Section(
                    kind: word(entry), offset: try number(entry + 8, "the offset of section \(index)"),
                    length: try number(entry + 16, "the length of section \(index)"), checksum: long(entry + 24)))
        }
        try check(file)
    }

    /// Throws unless all sizes are consistent and every section is inside the file.
    private func check(_ file: MappedFile) throws(InferenceError) {
        func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(InferenceError) {
            if !condition { throw InferenceError(.malformedDatastore, "\(file.path): \(what())") }
        }
        let size = file.bytes.count
        try require(fileLength == size, "the file has \(size) bytes instead of \(fileLength)")
        try require(
            vocabularyCount > 0 && vocabularyCount < Int(Int32.max)
                && tokenWidth == TokenBuffer.width(vocabularyCount: vocabularyCount),
            "tokens of \(tokenWidth) bytes do not fit a vocabulary of \(vocabularyCount)")
        try require(
            tokenCount <= SuffixSorter.maximumCount && documentCount <= tokenCount,
            "the header claims \(tokenCount) tokens in \(documentCount) documents")
        for section in sections {
            try require(
                section.offset >= prefixLength && section.offset % Self.alignment == 0
                    && section.offset <= size - Self.footerSize
                    && section.length <= size - Self.footerSize - section.offset,
                "section \(section.kind) (offset \(section.offset), \(section.length) bytes) lies outside the file")
        }
        for kind in Kind.allCases {
            let found = sections.filter { $0.kind == kind.rawValue }
            try require(found.count == 1, "the file has \(found.count) sections of \(kind.title)")
            guard let expected = expectedLength(kind) else { continue }
            try require(
                found[0].length == expected, "the \(kind.title) have \(found[0].length) bytes instead of \(expected)")
        }
    }

    /// The number of bytes of a section, if it follows from the counts.
    private func expectedLength(_ kind: Kind) -> Int? {
        switch kind {
        case .tokens: tokenCount * tokenWidth
        case .suffixes: (tokenCount - documentCount) * 4
        case .buckets: (vocabularyCount + 1) * 4
        case .documents: (documentCount + 1) * 8
        case .names, .tokenizer: nil
        }
    }
}
