// Malformed headers and metadata: each is refused with the offset of the fault.

import InferGGUF
import InferSupport
import TestSupport
import Testing

@Suite struct MalformedMetadataTests {
    private let start = RawGGUF.headerSize

    // MARK: Header

    @Test("other magic numbers", arguments: ["GGML", "FUGG", "gguf", "\0\0\0\0"])
    func magic(_ magic: String) {
        var file = Sample.raw
        file.magic = Array(magic.utf8)
        expectMalformed(file, "not a GGUF file", at: 0)
    }

    @Test("unsupported versions", arguments: [0, 1, 4, UInt32.max] as [UInt32])
    func version(_ version: UInt32) {
        var file = Sample.raw
        file.version = .littleEndian(version)
        expectRefusal(.unsupportedModel, "test.gguf", "version \(version)", "(at byte 4)") { _ = try file.open() }
    }

    @Test("big-endian files", arguments: [UInt32(2), 3])
    func bigEndian(version: UInt32) {
        var file = Sample.raw
        file.version = .littleEndian(version.byteSwapped)
        expectRefusal(.unsupportedModel, "big-endian", "(at byte 4)") { _ = try file.open() }
    }

    @Test("counts that are too large for the file", arguments: [1 << 20, 1 << 32, 1 << 63, UInt64.max] as [UInt64])
    func counts(_ count: UInt64) {
        var file = Sample.raw
        file.tensorCount = count
        expectMalformed(file, "\(count) tensors", at: 8)
        file.tensorCount = nil
        file.keyCount = count
        expectMalformed(file, "\(count) metadata entries", at: 8)
    }

    @Test("counts that are off by one")
    func offByOne() {
        for (keys, tensors) in [(1, 0), (-1, 0), (0, 1)] {
            var file = Sample.raw
            file.keyCount = UInt64(file.entries.count + keys)
            file.tensorCount = UInt64(file.tensors.count + tensors)
            expectMalformed(file)
        }
    }

    // MARK: Keys

    @Test(
        "lengths that lie",
        arguments: [100, 1 << 31, 1 << 32, 1 << 62, 1 << 63, UInt64.max - 1, UInt64.max] as [UInt64])
    func lengths(_ length: UInt64) {
        expectMalformed(
            RawGGUF(entries: [.string("k", length: length) + .littleEndian(UInt32(0)) + [0]]),
            "key of metadata entry 0", "\(length) bytes", at: start)
        expectMalformed(
            RawGGUF(entries: [RawGGUF.entry("text.key", type: 8, .string("value", length: length))]),
            "text.key", "\(length) bytes", at: start + 8 + 8 + 4)
        for type in UInt32(0)...12 where type != 9 {
            expectMalformed(
                RawGGUF(entries: [RawGGUF.array("array.key", of: type, count: length, [1, 2, 3])]),
                "array.key", "\(length) elements", at: start + 8 + 9 + 4)
        }
        expectMalformed(
            RawGGUF(entries: [RawGGUF.array("list", of: 8, count: 2, .string("a") + .string("b", length: length))]),
            "element 1 of metadata array list", "\(length) bytes")
    }

    @Test func emptyKey() {
        expectMalformed(
            RawGGUF(entries: [RawGGUF.entry("", type: 4, .littleEndian(UInt32(7))) + [0]]), "entry 0", at: start)
    }

    @Test func longKey() throws {
        let longest = String(repeating: "k", count: 65_535)
        let file = try RawGGUF(entries: [RawGGUF.entry(longest, type: 0, [7])]).open()
        #expect(try file.metadata.integer(longest) == 7)
        expectMalformed(RawGGUF(entries: [RawGGUF.entry(longest + "k", type: 0, [7])]), "65536 bytes", at: start)
    }

    @Test func duplicateKey() {
        let first = RawGGUF.entry("general.name", type: 0, [1])
        let second = RawGGUF.entry("general.name", type: 8, .string("x"))
        expectMalformed(RawGGUF(entries: [first, second]), "general.name", "twice", at: start + first.count)
    }

    @Test("a hostile key is escaped in messages")
    func hostileKey() throws {
        let file = RawGGUF(entries: [RawGGUF.entry("\u{1b}[2J\n", type: 99, [])])
        let error = try #require(throws: InferenceError.self) { _ = try file.open() }
        #expect(error.message.contains("\\u{1b}[2J\\u{a}"))
        #expect(!error.message.contains("\u{1b}") && !error.message.contains("\n"))
    }

    // MARK: Values

    @Test("unknown value types", arguments: [13, 14, 255, 1 << 31, UInt32.max] as [UInt32])
    func types(_ type: UInt32) {
        let value = [UInt8](repeating: 0, count: 16)
        expectMalformed(
            RawGGUF(entries: [RawGGUF.entry("some.key", type: type, value)]), "some.key", "unknown type \(type)",
            at: start + 8 + 8)
        expectMalformed(
            RawGGUF(entries: [RawGGUF.array("some.key", of: type, count: 1, value)]), "some.key",
            "unknown type \(type)", at: start + 8 + 8 + 4)
    }

    /// An array of two numbers within `depth` − 1 arrays of one element.
    private func nested(_ depth: Int) -> [UInt8] {
        let level = [UInt8].littleEndian(UInt32(9)) + .littleEndian(UInt64(1))
        return [[UInt8]](repeating: level, count: depth - 1).flatMap { $0 } + .littleEndian(UInt32(0))
            + .littleEndian(UInt64(2)) + [7, 8]
    }

    @Test("arrays of arrays are skipped on reading, and refused on access", arguments: [2, 3, 16])
    func nestedArrays(depth: Int) throws {
        let entries = [
            RawGGUF.entry("deep", type: 9, nested(depth)), RawGGUF.array("texts", of: 9, count: 0, []),
            RawGGUF.entry("after", type: 0, [5]),
        ]
        let metadata = try RawGGUF(entries: entries).open().metadata
        #expect(try metadata.integer("after") == 5)
        expectRefusal(.malformedModel, "test.gguf", "deep", "array of 1 × array", "at byte") {
            _ = try metadata.integers("deep")
        }
        expectRefusal(.malformedModel, "test.gguf", "texts", "array of 0 × array", "at byte") {
            _ = try metadata.strings("texts")
        }
    }

    @Test("arrays of arrays that are too deep, truncated, or too large for the file")
    func hostileNesting() {
        for depth in [17, 18, 100_000] {
            expectMalformed(RawGGUF(entries: [RawGGUF.entry("deep", type: 9, nested(depth))]), "deep", "16 deep")
        }
        var cut = RawGGUF(entries: [RawGGUF.entry("deep", type: 9, nested(3).dropLast())])
        cut.alignment = 1
        expectMalformed(cut, "deep", "2 elements")
        let wide = RawGGUF.array("wide", of: 9, count: 1 << 40, [UInt8](repeating: 9, count: 64))
        expectMalformed(RawGGUF(entries: [wide]), "wide", "\(UInt64(1) << 40) elements")
    }

    @Test("the file ends within a value", arguments: UInt32(0)...12)
    func cutValue(type: UInt32) {
        var file = RawGGUF(entries: [RawGGUF.entry("long.enough.key", type: type, [])])
        file.alignment = 1
        expectMalformed(file, "long.enough.key", at: file.bytes.count)
    }

    // MARK: Alignment

    @Test("invalid alignments", arguments: [0, 1, 4, 13, 33, 48, 1 << 17, 1 << 31, UInt32.max] as [UInt32])
    func alignment(_ alignment: UInt32) {
        var file = RawGGUF(tensors: [RawGGUF.tensor("t", shape: [1])], dataCount: 64)
        file.entries = [RawGGUF.entry("general.alignment", type: 4, .littleEndian(alignment))]
        expectMalformed(file, "general.alignment", at: start)
    }

    @Test("alignments of another type")
    func alignmentType() {
        let values: [(UInt32, [UInt8])] = [
            (0, [32]), (5, .littleEndian(Int32(32))), (10, .littleEndian(UInt64(32))), (6, .littleEndian(UInt32(32))),
            (8, .string("32")), (9, .littleEndian(UInt32(4)) + .littleEndian(UInt64(1)) + .littleEndian(UInt32(32))),
        ]
        for (type, value) in values {
            let file = RawGGUF(entries: [RawGGUF.entry("general.alignment", type: type, value)])
            expectMalformed(file, "general.alignment", at: start)
        }
    }
}
