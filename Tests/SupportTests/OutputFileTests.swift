// Output files get their name when they are complete; leftovers of killed writers are removed.

import Foundation
import InferSupport
import TestSupport
import Testing

struct OutputFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func leftoversOfKilledWritersAreRemoved() throws {
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

    /// A lock means that the writer is alive.
    @Test func filesInUseStay() throws {
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

    @Test(arguments: ["", "x/", "none/x", "a/x"]) func unwritablePathsAreRefusedImmediately(_ name: String) throws {
        try folder.write("a", [1])
        let path = name.isEmpty ? "" : folder.path(name)
        let error = #expect(throws: InferenceError.self) { try OutputFile(replacing: path) }
        #expect(error?.code == .unwritableFile)
    }
}
