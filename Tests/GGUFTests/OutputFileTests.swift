// Files that appear when they are complete, and what killed writers leave.

import Foundation
import InferSupport
import Testing

struct OutputFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func whatAKilledWriterLeftGoes() throws {
        try directory.write([1], to: ".swiftinfer-1a2b.tmp")
        try directory.write([1], to: ".swiftinfer-1a2b.tmp2")
        try directory.write([1], to: "swiftinfer-1a2b.tmp")
        _ = try OutputFile(replacing: directory.file("a"))
        #expect(directory.names.count == 3)
        do {
            let file = try OutputFile(replacing: directory.file("a"))
            try file.append([7])
            try file.commit()
        }
        #expect(directory.names.sorted() == [".swiftinfer-1a2b.tmp2", "a", "swiftinfer-1a2b.tmp"])
    }

    /// A lock says that a writer lives.
    @Test func whatIsBeingWrittenStays() throws {
        let path = try directory.write([1], to: ".swiftinfer-1a2b.tmp")
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let files = try (0..<2).map { _ in try OutputFile(replacing: directory.file("a")) }
        for (number, file) in files.enumerated() {
            try file.append([UInt8(number)])
            try file.commit()
        }
        #expect(try directory.read("a") == [1])
        #expect(directory.names.sorted() == [".swiftinfer-1a2b.tmp", "a"])
    }

    @Test(arguments: ["", "x/", "none/x", "a/x"]) func pathsThatCannotBeWrittenAreRefusedAtOnce(_ name: String) throws {
        try directory.write([1], to: "a")
        let path = name.isEmpty ? "" : directory.file(name)
        let error = #expect(throws: InferenceError.self) { try OutputFile(replacing: path) }
        #expect(error?.code == .unwritableFile)
    }
}
