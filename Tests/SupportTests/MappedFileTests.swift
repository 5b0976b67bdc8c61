// Mapped files: their bytes, and paths that cannot be mapped.

import Foundation
import InferSupport
import TestSupport
import Testing

@Suite struct MappedFileTests {
    /// A copy of the file's bytes. These are valid only as long as `file` lives.
    private func contents(_ file: MappedFile) -> [UInt8] { withExtendedLifetime(file) { Array(file.bytes) } }

    @Test(arguments: [0, 1, 4096, 100_000]) func bytesAreThoseOfTheFile(count: Int) throws {
        let folder = try TemporaryFolder()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let file = try MappedFile(path: folder.write("a", bytes))
        #expect(contents(file) == bytes)
        #expect(contents(MappedFile(contents: bytes, path: "b")) == bytes)
        // Neither call changes the bytes.
        file.populate()
        file.discard(0..<count)
        #expect(contents(file) == bytes)
    }

    @Test func bytesStayWhenTheFileIsReplaced() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a", [1, 2, 3])
        let file = try MappedFile(path: path)
        let newer = try OutputFile(replacing: path)
        try newer.append([4])
        try newer.commit()
        #expect(contents(file) == [1, 2, 3])
        #expect(try contents(MappedFile(path: path)) == [4])
    }

    @Test func onlyRegularFilesAreMapped() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [pipe, folder.path, folder.path("none"), "a\0b", "/dev/null"] {
            let error = #expect(throws: InferenceError.self) { try MappedFile(path: path) }
            #expect(error?.code == .unreadableFile)
        }
    }
}
