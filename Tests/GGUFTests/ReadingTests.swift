// Reading well-formed files.

import Foundation
import InferGGUF
import InferSupport
import TestSupport
import Testing

@Suite struct ReadingTests {
    @Test("every metadata type is read", arguments: [UInt32(2), 3])
    func metadata(version: UInt32) throws {
        var raw = Sample.raw
        raw.version = .littleEndian(version)
        let file = try raw.open()
        #expect(file.version == Int(version))
        #expect(file.byteCount == raw.bytes.count)
        #expect(file.metadata.keys == Sample.scalars.map(\.key) + Sample.arrays.map(\.key))
        for (key, value, _) in Sample.scalars { #expect(file.metadata[key] == value) }
        for (key, value, _) in Sample.arrays { #expect(file.metadata[key] == .array(value)) }
    }

    @Test func tensorDirectory() throws {
        let file = try Sample.raw.open()
        #expect(file.tensors.map(\.name) == Sample.tensors.map(\.name))
        for expected in Sample.tensors {
            let tensor = try #require(file.tensor(expected.name))
            #expect(tensor.type == expected.type)
            #expect(tensor.shape == expected.shape)
            #expect(tensor.byteCount == expected.data.count)
            #expect(file.data(of: expected.name) == expected.data)
        }
        #expect(file.tensor("absent") == nil)
        let embedding = try #require(file.tensor("token_embd.weight"))
        #expect(embedding.columns == 32 && embedding.rows == 2 && embedding.elementCount == 64)
        #expect(embedding.rowBytes == 34)
        let experts = try #require(file.tensor("blk.0.ffn_gate_exps.weight"))
        #expect(experts.columns == 2 && experts.rows == 3 && experts.rowBytes == 4)
    }

    @Test func nothingButHeader() throws {
        let file = try RawGGUF().open()
        #expect(file.tensors.isEmpty && file.metadata.keys.isEmpty)
    }

    @Test("alignments", arguments: [8, 16, 64, 4096, 65536])
    func alignment(_ alignment: Int) throws {
        var raw = RawGGUF(
            tensors: [
                RawGGUF.tensor("a", shape: [1]), RawGGUF.tensor("b", shape: [2], offset: UInt64(alignment)),
            ], dataCount: alignment + 8)
        raw.entries = [RawGGUF.entry("general.alignment", type: 4, .littleEndian(UInt32(alignment)))]
        raw.alignment = alignment
        let file = try raw.open()
        #expect(file.data(of: "a") == Array(raw.data[..<4]))
        #expect(file.data(of: "b") == Array(raw.data[alignment...]))
    }

    @Test("tensors may be in any order, with gaps")
    func gaps() throws {
        let raw = RawGGUF(
            tensors: [RawGGUF.tensor("late", shape: [8], offset: 96), RawGGUF.tensor("early", shape: [2], offset: 32)],
            dataCount: 128)
        let file = try raw.open()
        #expect(file.tensors.map(\.name) == ["late", "early"])
        #expect(file.data(of: "late") == Array(raw.data[96..<128]))
        #expect(file.data(of: "early") == Array(raw.data[32..<40]))
    }

    @Test("types that the engine cannot compute with are read too")
    func otherTypes() throws {
        let file = try RawGGUF(tensors: [RawGGUF.tensor("t", shape: [256], type: 16)], dataCount: 66).open()
        #expect(file.tensor("t")?.type.description == "IQ2_XXS")
    }

    @Test func invalidUTF8() throws {
        let value = [UInt8].littleEndian(UInt64(2)) + [0x61, 0xff]
        let file = try RawGGUF(entries: [RawGGUF.entry("k", type: 8, value)]).open()
        #expect(try file.metadata.string("k") == "a\u{fffd}")
        // A vocabulary keeps such bytes.
        let array = try RawGGUF(entries: [RawGGUF.array("k", of: 8, count: 1, value)]).open()
        #expect(try array.metadata.strings("k").map { $0.map(Array.init) } == [[0x61, 0xff]])
    }

    // MARK: Files

    @Test func missingFile() throws {
        let folder = try TemporaryFolder()
        expectRefusal(.unreadableFile, "absent.gguf", "No such file") {
            _ = try GGUFFile(path: folder.path("absent.gguf"))
        }
    }

    @Test("files that are not regular are refused; a named pipe does not block")
    func notRegular() throws {
        let folder = try TemporaryFolder()
        try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
        for path in [folder.path, folder.path("pipe"), "/dev/null"] {
            expectRefusal(.unreadableFile, path, "not a regular file") { _ = try GGUFFile(path: path) }
        }
    }

    @Test func pathWithZeroByte() {
        expectRefusal(.unreadableFile, "zero byte") { _ = try GGUFFile(path: "a\0b") }
    }

    @Test("an empty file, and files that end after a few bytes")
    func tiny() throws {
        let folder = try TemporaryFolder()
        for bytes in [[], [0x47], Array("GGUF".utf8), Array("GGML".utf8)] as [[UInt8]] {
            let path = try folder.write("tiny.gguf", bytes)
            expectRefusal(.malformedModel, path, "at byte") { _ = try GGUFFile(path: path) }
        }
    }
}
