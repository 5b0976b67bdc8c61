// Folders that are made, and those that cannot be.

import Foundation
import InferSupport
import TestSupport
import Testing

@Suite struct FolderTests {
    @Test func missingFoldersAreMade() throws {
        let folder = try TemporaryFolder()
        for path in ["a/b/c", "a/b", "a/d/"] {
            try Folder.create(folder.path(path))
            #expect(FileKind(at: folder.path(path)) == .folder)
        }
        let file = try folder.write("f", "")
        #expect(FileKind(at: file) == .file && FileKind(at: folder.path("none")) == nil)
        for path in [file, file + "/", file + "/x"] {
            expectRefusal(.unwritableFile, "cannot create the folder \(file)", "File exists") {
                try Folder.create(path)
            }
        }
        try Folder.create(folder.path("private/b"), mode: 0o700)
        var status = stat()
        #expect(stat(folder.path("private/b"), &status) == 0 && status.st_mode & 0o777 == 0o700)
    }
}
