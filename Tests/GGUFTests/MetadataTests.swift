// The typed accessors of metadata, and editing metadata.

import InferGGUF
import InferSupport
import TestSupport
import Testing

@Suite struct MetadataTests {
    let metadata: Metadata

    init() throws { metadata = try Sample.raw.open().metadata }

    @Test func integers() throws {
        #expect(try metadata.integer("scalar.uint8") == 255)
        #expect(try metadata.integer("scalar.int8") == -128)
        #expect(try metadata.integer("scalar.uint16") == 65534)
        #expect(try metadata.integer("scalar.int16") == -2)
        #expect(try metadata.integer("scalar.uint32") == 0x0102_0304)
        #expect(try metadata.integer("scalar.int32") == Int(Int32.min))
        #expect(try metadata.integer("scalar.int64") == -2)
        #expect(try metadata.integers("array.uint8") == [0, 255])
        #expect(try metadata.integers("array.int8") == [-1, 127])
        #expect(try metadata.integers("array.uint16") == [1, 0x0203])
        #expect(try metadata.integers("array.int16") == [-1, 1])
        #expect(try metadata.integers("array.uint32") == [7])
        #expect(try metadata.integers("array.int32") == [-1])
        #expect(try metadata.integers("array.uint64") == [9])
        #expect(try metadata.integers("array.int64") == [-1])
        #expect(try metadata.integers("array.empty") == [])
    }

    @Test func others() throws {
        #expect(try metadata.float("scalar.float32") == 1.5)
        #expect(try metadata.float("scalar.float64") == -2)
        #expect(try metadata.bool("scalar.bool") == true)
        #expect(try metadata.string("scalar.string") == "naïve 🦙")
        #expect(try metadata.floats("array.float32") == [1.5, -2])
        #expect(try metadata.floats("array.float64") == [-2])
        #expect(try metadata.bools("array.bool") == [true, false])
        let strings = try #require(try metadata.strings("array.string"))
        #expect(strings.map { String(decoding: $0, as: UTF8.self) } == ["a", "", "née"])
        #expect(strings.bytes.count == 5)
    }

    @Test func absentKeys() throws {
        #expect(try metadata.integer("absent") == nil)
        #expect(try metadata.float("absent") == nil)
        #expect(try metadata.bool("absent") == nil)
        #expect(try metadata.string("absent") == nil)
        #expect(try metadata.integers("absent") == nil)
        #expect(try metadata.floats("absent") == nil)
        #expect(try metadata.bools("absent") == nil)
        #expect(try metadata.strings("absent") == nil)
    }

    @Test("a value of a wrong type is refused with the key, both types and the offset")
    func wrongTypes() throws {
        let first = "(at byte \(RawGGUF.headerSize))"
        expectRefusal(.malformedModel, "test.gguf", "scalar.uint8", "uint8 255", "a string", first) {
            _ = try metadata.string("scalar.uint8")
        }
        expectRefusal(.malformedModel, "scalar.string", "an integer", "at byte") {
            _ = try metadata.integer("scalar.string")
        }
        expectRefusal(.malformedModel, "scalar.uint32", "a finite float", "at byte") {
            _ = try metadata.float("scalar.uint32")
        }
        expectRefusal(.malformedModel, "scalar.uint8", "a bool") { _ = try metadata.bool("scalar.uint8") }
        expectRefusal(.malformedModel, "array.bool", "2 × bool", "integers") {
            _ = try metadata.integers("array.bool")
        }
        expectRefusal(.malformedModel, "array.uint8", "floats") { _ = try metadata.floats("array.uint8") }
        expectRefusal(.malformedModel, "array.uint8", "bools") { _ = try metadata.bools("array.uint8") }
        expectRefusal(.malformedModel, "array.uint8", "strings") { _ = try metadata.strings("array.uint8") }
        expectRefusal(.malformedModel, "scalar.uint8", "integers") { _ = try metadata.integers("scalar.uint8") }
    }

    @Test("numbers out of range are refused, not wrapped")
    func outOfRange() throws {
        expectRefusal(.malformedModel, "scalar.uint64") { _ = try metadata.integer("scalar.uint64") }
        var edited = metadata
        edited["a"] = .array(MetadataArray([1, UInt64.max, 2] as [UInt64]))
        expectRefusal(.malformedModel, "key a ") { _ = try edited.integers("a") }
        for value in [Float.nan, .infinity, -.infinity] {
            edited["f"] = .float32(value)
            expectRefusal(.malformedModel, "key f ") { _ = try edited.float("f") }
        }
        edited["f"] = .float64(1e300)
        expectRefusal(.malformedModel, "key f ") { _ = try edited.float("f") }
    }

    @Test("keys stay in order when entries are replaced, removed and added")
    func editing() {
        var metadata = Metadata()
        metadata["a"] = .uint8(1)
        metadata["b"] = .uint8(2)
        metadata["c"] = .uint8(3)
        metadata["a"] = .string("one")
        metadata["b"] = nil
        metadata["absent"] = nil
        metadata["b"] = .bool(false)
        #expect(metadata.keys == ["a", "c", "b"])
        #expect(metadata["a"] == .string("one") && metadata["b"] == .bool(false))
    }

    @Test func arraysCompareByTypeAndBytes() {
        #expect(MetadataArray([1, 2] as [UInt8]) == MetadataArray([1, 2] as [UInt8]))
        #expect(MetadataArray([1, 2] as [UInt8]) != MetadataArray([1, 3] as [UInt8]))
        #expect(MetadataArray([1, 2] as [UInt8]) != MetadataArray([1, 2] as [Int8]))
        #expect(MetadataArray([] as [String]) != MetadataArray([""]))
    }

    @Test("text from a file can neither control a terminal nor flood a message")
    func printable() {
        #expect("blk.0.attn_q.weight — naïve 🦙".printable == "blk.0.attn_q.weight — naïve 🦙")
        #expect("a\u{1b}[31m\nb\u{202e}c\0".printable == "a\\u{1b}[31m\\u{a}b\\u{202e}c\\u{0}")
        #expect(String(repeating: "x", count: 80).printable.count == 80)
        #expect(String(repeating: "x", count: 100_000).printable == String(repeating: "x", count: 80) + "…")
    }
}
