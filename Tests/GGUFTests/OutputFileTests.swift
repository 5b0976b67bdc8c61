// Files that appear when they are complete, and what killed writers leave.

import Foundation
import InferSupport
import TestSupport
import Testing

struct OutputFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func whatAKilledWriterLeftGoes() throws {
        try folder.write(".swiftinfer-1a2b.tmp", [1])
        try folder.write(".swiftinfer-1a2b.tmp2", [1])
        try folder.write("swiftinfer-1a2b.tmp", [1])
        _ = try OutputFile(replacing: folder.path("a"))
        #expect(folder.names.count == 3)
        do {
            let file = try OutputFile(replacing: folder.path("a"))
            try file.append([7])
            try file.commit()
        }
        #expect(folder.names.sorted() == [".swiftinfer-1a2b.tmp2", "a", "swiftinfer-1a2b.tmp"])
    }

    /// A lock says that a writer lives.
    @Test func whatIsBeingWrittenStays() throws {
        let path = try folder.write(".swiftinfer-1a2b.tmp", [1])
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let files = try (0..<2).map { _ in try OutputFile(replacing: folder.path("a")) }
        for (number, file) in files.enumerated() {
            try file.append([UInt8(number)])
            try file.commit()
        }
        #expect(try folder.read("a") == [1])
        #expect(folder.names.sorted() == [".swiftinfer-1a2b.tmp", "a"])
    }

    @Test(arguments: ["", "x/", "none/x", "a/x"]) func pathsThatCannotBeWrittenAreRefusedAtOnce(_ name: String) throws {
        try folder.write("a", [1])
        let path = name.isEmpty ? "" : folder.path(name)
        let error = #expect(throws: InferenceError.self) { try OutputFile(replacing: path) }
        #expect(error?.code == .unwritableFile)
    }
}
