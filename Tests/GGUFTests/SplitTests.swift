// Models split over several files.

import InferGGUF
import InferSupport
import TestSupport
import Testing

@Suite struct SplitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func name(_ number: Int, of count: Int) -> String { "model-0000\(number)-of-0000\(count).gguf" }

    /// Writes part `number`, from 1, with one tensor. `edit` can make it invalid.
    @discardableResult
    private func writePart(
        _ number: Int, of count: Int, tensor: String? = nil, edit: (inout Metadata) -> Void = { _ in }
    ) throws -> String {
        var writer = GGUFWriter()
        if number == 1 { writer.metadata["general.name"] = .string("split") }
        writer.metadata["split.no"] = .uint16(UInt16(number - 1))
        writer.metadata["split.count"] = .uint16(UInt16(count))
        writer.metadata["split.tensors.count"] = .int32(Int32(count))
        edit(&writer.metadata)
        let elements = [Float](repeating: Float(number), count: 4)
        try writer.addTensor(tensor ?? "part.\(number)", type: .f32, shape: [4], elements: elements)
        let path = folder.path(name(number, of: count))
        try writer.write(to: path)
        return path
    }

    @Test func threeParts() throws {
        let paths = try (1...3).map { try writePart($0, of: 3) }
        let file = try GGUFFile(path: paths[0])
        #expect(file.tensors.map(\.name) == ["part.1", "part.2", "part.3"])
        #expect(try file.metadata.string("general.name") == "split")
        #expect(file.byteCount == (try paths.reduce(0) { $0 + (try MappedFile(path: $1)).bytes.count }))
        for number in 1...3 {
            let expected = [Float](repeating: Float(number), count: 4).withUnsafeBytes { Array($0) }
            #expect(file.data(of: "part.\(number)") == expected)
        }
    }

    @Test("parts may have different alignments")
    func alignments() throws {
        let path = try writePart(1, of: 2)
        try writePart(2, of: 2) { $0["general.alignment"] = .uint32(4096) }
        let expected = [Float](repeating: 2, count: 4).withUnsafeBytes { Array($0) }
        #expect(try GGUFFile(path: path).data(of: "part.2") == expected)
    }

    @Test("a split model of one part and a file merged by llama.cpp's tool are plain files", arguments: [UInt16(0), 1])
    func plain(count: UInt16) throws {
        var writer = try Sample.writer()
        writer.metadata["split.no"] = .uint16(0)
        writer.metadata["split.count"] = .uint16(count)
        try writer.write(to: folder.path("plain.gguf"))
        #expect(try GGUFFile(path: folder.path("plain.gguf")).tensors.count == 3)
    }

    @Test func otherPartOpened() throws {
        for number in 1...2 { try writePart(number, of: 2) }
        expectRefusal(.unreadableFile, "part 2 of 2", "first part instead, \(folder.path(name(1, of: 2)))") {
            _ = try GGUFFile(path: folder.path(name(2, of: 2)))
        }
        let copy = try folder.write("renamed.gguf", folder.read(name(2, of: 2)))
        expectRefusal(.unreadableFile, copy, "part 2 of 2", "first part", "-00001-of-00002.gguf") {
            _ = try GGUFFile(path: copy)
        }
    }

    @Test("a part number that is too large")
    func numberOutOfRange() throws {
        for number in [Int64(2), -1, .max] {
            let path = try writePart(1, of: 2) { $0["split.no"] = .int64(number) }
            expectRefusal(.malformedModel, path, "split.no", "\(number)", "at byte") { _ = try GGUFFile(path: path) }
        }
    }

    @Test func renamed() throws {
        let path = try writePart(1, of: 2)
        let copy = try folder.write("renamed.gguf", folder.read(name(1, of: 2)))
        expectRefusal(.unreadableFile, copy, "part 1 of 2", "rename", "-00001-of-00002.gguf", "-00002-of-00002.gguf") {
            _ = try GGUFFile(path: copy)
        }
        expectRefusal(.unreadableFile, "-00002-of-00002.gguf", "No such file") { _ = try GGUFFile(path: path) }
    }

    @Test func malformedPart() throws {
        let path = try writePart(1, of: 2)
        try folder.write(name(2, of: 2), Array("GGUF".utf8))
        expectRefusal(.malformedModel, name(2, of: 2), "at byte 4") { _ = try GGUFFile(path: path) }
    }

    @Test("a part with a wrong number")
    func wrongNumber() throws {
        let path = try writePart(1, of: 2)
        try writePart(2, of: 2) { $0["split.no"] = .uint16(0) }
        expectRefusal(.malformedModel, name(2, of: 2), "split.no", "expected 1", "at byte") {
            _ = try GGUFFile(path: path)
        }
        try writePart(2, of: 2) { $0["split.no"] = nil }
        expectRefusal(.malformedModel, name(2, of: 2), "split.no", "missing") { _ = try GGUFFile(path: path) }
    }

    @Test("a part of a model with another number of parts")
    func wrongCount() throws {
        let path = try writePart(1, of: 2)
        try writePart(2, of: 2) { $0["split.count"] = .uint16(3) }
        expectRefusal(.malformedModel, name(2, of: 2), "split.count", "is 3, expected 2", "at byte") {
            _ = try GGUFFile(path: path)
        }
    }

    @Test func wrongTensorCount() throws {
        let path = try writePart(1, of: 2) { $0["split.tensors.count"] = .int32(5) }
        try writePart(2, of: 2)
        expectRefusal(.malformedModel, "split.tensors.count", "5", "2 tensors", "at byte") {
            _ = try GGUFFile(path: path)
        }
    }

    @Test func tensorInTwoParts() throws {
        let path = try writePart(1, of: 2)
        try writePart(2, of: 2, tensor: "part.1")
        expectRefusal(.malformedModel, name(2, of: 2), "part.1", "twice", "at byte") { _ = try GGUFFile(path: path) }
    }

    @Test("invalid counts")
    func counts() throws {
        let values: [MetadataValue] = [
            .int32(-1), .uint32(.max), .uint64(.max), .int64(.min), .uint16(10_000), .string("2"), .float32(2),
            .bool(true), .array(MetadataArray([2] as [UInt16])),
        ]
        for value in values {
            let path = try writePart(1, of: 2) { $0["split.count"] = value }
            expectRefusal(.malformedModel, path, "split.count", "at byte") { _ = try GGUFFile(path: path) }
        }
    }
}
