// Writing files, and reading them back.

import Foundation
import InferGGUF
import InferSupport
import TestSupport
import Testing

@Suite struct WriterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("the bytes follow the format and are the same every time")
    func bytes() throws {
        for name in ["first.gguf", "second.gguf"] {
            try Sample.writer().write(to: folder.path(name))
            #expect(try folder.read(name) == Sample.raw.bytes)
        }
        #expect(folder.names == ["first.gguf", "second.gguf"])
    }

    @Test("a file that is read and written again is identical")
    func roundTrip() throws {
        let original = try folder.write("original.gguf", Sample.raw.bytes)
        let file = try GGUFFile(path: original)
        var writer = GGUFWriter(metadata: file.metadata)
        for tensor in file.tensors { try writer.addTensor(tensor, of: file) }
        try writer.write(to: folder.path("copy.gguf"))
        #expect(try folder.read("copy.gguf") == folder.read("original.gguf"))
        #expect(try GGUFFile(path: folder.path("copy.gguf")).version == 3)
    }

    @Test("a vocabulary copied through PackedStrings keeps invalid UTF-8")
    func packedStrings() throws {
        var strings = PackedStrings()
        strings.append([0x61, 0xff, 0])
        strings.append([])
        var writer = GGUFWriter()
        writer.metadata["tokens"] = .array(MetadataArray(strings))
        try writer.write(to: folder.path("tokens.gguf"))
        let read = try #require(try GGUFFile(path: folder.path("tokens.gguf")).metadata.strings("tokens"))
        #expect(read.map(Array.init) == [[0x61, 0xff, 0], []])
    }

    @Test func nothing() throws {
        try GGUFWriter().write(to: folder.path("empty.gguf"))
        var raw = RawGGUF()
        raw.alignment = 1
        #expect(try folder.read("empty.gguf") == raw.bytes)
    }

    @Test("alignment", arguments: [UInt32(8), 64, 65536])
    func alignment(_ alignment: UInt32) throws {
        var writer = try Sample.writer()
        writer.metadata["general.alignment"] = .uint32(alignment)
        try writer.write(to: folder.path("aligned.gguf"))
        let file = try GGUFFile(path: folder.path("aligned.gguf"))
        for tensor in Sample.tensors { #expect(file.data(of: tensor.name) == tensor.data) }
        #expect(file.byteCount.isMultiple(of: Int(alignment)))
    }

    @Test("a tensor larger than any buffer, in pieces of all sizes")
    func pieces() throws {
        let count = 3_000_000
        var writer = GGUFWriter()
        try writer.addTensor("small", type: TensorType(rawValue: 24), shape: [5], elements: [1, 2, 3, 4, 5] as [UInt8])
        try writer.addTensor("large", type: TensorType(rawValue: 24), shape: [count]) { sink throws(InferenceError) in
            var size = 1
            while sink.remainingByteCount > 0 {
                let done = count - sink.remainingByteCount
                let piece = min(size, sink.remainingByteCount)
                try sink.append(contentsOf: (done..<done + piece).map { UInt8(truncatingIfNeeded: $0 % 251) })
                size = size * 3 % 1_000_003
            }
        }
        try writer.addTensor("last", type: .f32, shape: [1], elements: [Float(1.5)])
        try writer.write(to: folder.path("large.gguf"))
        let file = try GGUFFile(path: folder.path("large.gguf"))
        #expect(file.data(of: "large") == (0..<count).map { UInt8($0 % 251) })
        #expect(file.data(of: "small") == [1, 2, 3, 4, 5])
        #expect(file.data(of: "last") == [0, 0, 0xc0, 0x3f])
    }

    // MARK: Refusals

    @Test func badTensors() throws {
        var writer = GGUFWriter()
        func refuse(_ name: String, _ type: TensorType, _ shape: [Int], _ phrase: String) {
            expectRefusal(.invalidArgument, phrase) {
                try writer.addTensor(name, type: type, shape: shape) { _ in }
            }
        }
        refuse("", .f32, [1], "0 bytes")
        refuse(String(repeating: "n", count: 64), .f32, [1], "64 bytes")
        refuse("t", TensorType(rawValue: 4), [32], "unknown type 4")
        refuse("t", .f32, [], "0 dimensions")
        refuse("t", .f32, [1, 1, 1, 1, 1], "5 dimensions")
        refuse("t", .f32, [-1], "dimension of -1")
        refuse("t", .q4_K, [128], "no multiple of the 256")
        refuse("t", .f32, [Int.max, 2], "overflows")
        try writer.addTensor("t", type: .f32, shape: [1], elements: [Float(1)])
        refuse("t", .f32, [1], "twice")
    }

    @Test func tensorsBeyondTheLargestFile() throws {
        var writer = GGUFWriter()
        for name in ["a", "b", "c"] { try writer.addTensor(name, type: .f16, shape: [1 << 61]) { _ in } }
        expectRefusal(.invalidArgument, "beyond the largest possible file") {
            try writer.write(to: folder.path("x.gguf"))
        }
        #expect(folder.names.isEmpty)
    }

    @Test func badMetadata() throws {
        let faults: [(String, MetadataValue, String)] = [
            ("", .bool(true), "0 bytes"), (String(repeating: "k", count: 65_536), .bool(true), "65536 bytes"),
            ("general.alignment", .uint32(48), "general.alignment"),
            ("general.alignment", .int32(32), "general.alignment"),
        ]
        for (key, value, phrase) in faults {
            var writer = GGUFWriter()
            writer.metadata[key] = value
            expectRefusal(.invalidArgument, phrase) { try writer.write(to: folder.path("x.gguf")) }
        }
        #expect(folder.names.isEmpty)
    }

    @Test("the old file stays if a tensor has too few or too many bytes or its source fails")
    func wrongBytes() throws {
        try folder.write("old.gguf", [1, 2, 3])
        func write(_ body: @escaping GGUFWriter.Body) throws {
            var writer = GGUFWriter()
            try writer.addTensor("t", type: .f32, shape: [2], writing: body)
            try writer.write(to: folder.path("old.gguf"))
        }
        expectRefusal(.invalidArgument, "tensor t", "4 of its 8 bytes") {
            try write { sink throws(InferenceError) in try sink.append(contentsOf: [Float(1)]) }
        }
        expectRefusal(.invalidArgument, "tensor t", "more than its 8 bytes") {
            try write { sink throws(InferenceError) in try sink.append(contentsOf: [1, 2, 3] as [Float]) }
        }
        expectRefusal(.outOfMemory, "elsewhere") {
            try write { _ throws(InferenceError) in throw InferenceError(.outOfMemory, "elsewhere") }
        }
        #expect(folder.names == ["old.gguf"])
        #expect(try folder.read("old.gguf") == [1, 2, 3])
        try write { sink throws(InferenceError) in try sink.append(contentsOf: [1, 2] as [Float]) }
        #expect(try GGUFFile(path: folder.path("old.gguf")).tensors.count == 1)
        #expect(folder.names == ["old.gguf"])
    }

    @Test("a file can be rewritten from itself")
    func inPlace() throws {
        let path = try folder.write("model.gguf", Sample.raw.bytes)
        let file = try GGUFFile(path: path)
        var writer = GGUFWriter(metadata: file.metadata)
        writer.metadata["general.name"] = .string("renamed")
        for tensor in file.tensors { try writer.addTensor(tensor, of: file) }
        try writer.write(to: path)
        let rewritten = try GGUFFile(path: path)
        #expect(try rewritten.metadata.string("general.name") == "renamed")
        for tensor in Sample.tensors { #expect(rewritten.data(of: tensor.name) == tensor.data) }
    }

    @Test func unwritablePlaces() throws {
        let writer = try Sample.writer()
        let places = [
            folder.path("no/such/directory.gguf"), folder.path, "/dev/null", "",
        ]
        for path in places { expectRefusal(.unwritableFile, path) { try writer.write(to: path) } }
        expectRefusal(.unwritableFile, "zero byte") { try writer.write(to: "a\0b") }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link.gguf"), withDestinationPath: "elsewhere.gguf")
        expectRefusal(.unwritableFile, "link.gguf") { try writer.write(to: folder.path("link.gguf")) }
        #expect(folder.names == ["link.gguf"])
    }
}
