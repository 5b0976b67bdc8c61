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
        expectRefusal(.unwritableFile, "cannot create the folder", "File exists") { try Folder.create(file) }
        expectRefusal(.unwritableFile, "cannot create the folder") { try Folder.create(file + "/x") }
    }
}
