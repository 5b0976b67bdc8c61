// The fixed parts of a datastore file: header, section table, footer.

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

    /// One stretch of the file.
    struct Section: Equatable {
        var kind: UInt32
        var offset: Int
        var length: Int
        var checksum: UInt64
    }

    /// What sections hold.
    enum Kind: UInt32, CaseIterable {
        /// Token ids; a separator, the id after the vocabulary's last, ends every document.
        case tokens = 1
        /// Start of every suffix that does not begin with a separator, u32, in the order of the suffixes.
        case suffixes = 2
        /// For every token, and one more: index of the first suffix that begins with it or a larger one, u32.
        case buckets = 3
        /// For every document, and one more: position of its first token, and start of its name in the names; u32 each.
        case documents = 4
        /// Names of the documents, one after the other: paths relative to the root they were found under.
        case names = 5
        /// The tokenizer in words, UTF-8.
        case tokenizer = 6

        /// The section in words.
        var title: String { "\(self)" }
    }

    /// Bytes before the first section.
    var prefixLength: Int { Self.size + sections.count * Self.entrySize }

    /// The section of a kind.
    func section(_ kind: Kind) -> Section? { sections.first { $0.kind == kind.rawValue } }

    /// Header and table as the file has them.
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

    /// The footer that goes with ``encoded``.
    var footer: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(XXHash64.hash(encoded))
        return bytes + Self.magic
    }
}
