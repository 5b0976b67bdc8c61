// Walking folders with difficult contents.

import Foundation
import InferCodeSwift
import InferSupport
import TestSupport
import Testing

struct FolderWalkTests {
    private func walk(
        _ folder: TemporaryFolder, below name: String = "", _ change: (inout IngestionOptions) -> Void = { _ in }
    ) throws -> (paths: [String], skipped: SkipReport) {
        var options = IngestionOptions()
        change(&options)
        var walk = FolderWalk(try RootedFolder(path: folder.path(name)), options: options)
        try walk.run()
        return (walk.files.map { String(decoding: $0.path, as: UTF8.self) }, walk.skipped)
    }

    @Test func filesComeInTheOrderOfTheirPaths() throws {
        let folder = try TemporaryFolder()
        for name in ["b/a.py", "a.py", "b.py", "a/z.py", "a/b/c.py", "é.py", "a-.py"] { try folder.write(name, "x") }
        #expect(try walk(folder).paths == ["a-.py", "a.py", "a/b/c.py", "a/z.py", "b.py", "b/a.py", "é.py"])
    }

    @Test func nothingOutsideTheRootIsRead() throws {
        let outside = try TemporaryFolder()
        try outside.write("outside.py", "secret")
        try outside.write("folder/outside.py", "secret")
        let folder = try TemporaryFolder()
        try folder.write("in.py", "x")
        let manager = FileManager.default
        for (name, target) in [
            ("file.py", outside.path("outside.py")), ("folder", outside.path("folder")), ("up", ".."), ("loop", "."),
        ] {
            try manager.createSymbolicLink(atPath: folder.path(name), withDestinationPath: target)
        }
        let found = try walk(folder)
        #expect(found.paths == ["in.py"])
        #expect(found.skipped.entries[.link]?.count == 4)
        let root = try RootedFolder(path: folder.url.path)
        for path in [
            "file.py", "folder/outside.py", "../\(outside.url.lastPathComponent)/outside.py", "up/x", "loop/in.py",
        ] {
            #expect(try root.read(Array(path.utf8), limit: 1 << 20) == nil, "\(path)")
        }
        #expect(try root.read(Array("in.py".utf8), limit: 1 << 20) == Array("x".utf8))
    }

    @Test func pipesDoNotBlockAndSparseFilesAreNotRead() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.path("pipe.py"), 0o600) == 0)
        let huge = open(folder.path("huge.py"), O_CREAT | O_WRONLY, 0o600)
        #expect(ftruncate(huge, 50 << 30) == 0)
        close(huge)
        try folder.write("a.py", "x")
        let found = try walk(folder)
        #expect(found.paths == ["a.py"])
        #expect(found.skipped.entries[.special]?.count == 1)
        #expect(found.skipped.entries[.large]?.examples == ["huge.py"])
    }

    @Test func namesWithControlCharactersAndInvalidUTF8() throws {
        let folder = try TemporaryFolder()
        try folder.write("a\u{1B}[31m\n.py", "x")
        // Not UTF-8.
        let raw = Array(folder.url.path.utf8CString.dropLast()) + [47, CChar(bitPattern: 0xFF), 46, 112, 121, 0]
        let descriptor = open(raw, O_CREAT | O_WRONLY, 0o600)
        if descriptor >= 0 {
            #expect(writeText(descriptor, "y", 1) == 1)
            close(descriptor)
        }
        var walk = FolderWalk(try RootedFolder(path: folder.url.path), options: IngestionOptions())
        try walk.run()
        #expect(walk.files.count == (descriptor >= 0 ? 2 : 1))
        let root = try RootedFolder(path: folder.url.path)
        #expect(try walk.files.allSatisfy { try root.read($0.path, limit: 10)?.count == 1 })
        try folder.write("b\u{1B}[31m\n.py", "")
        let skipped = try self.walk(folder).skipped
        #expect(skipped.entries[.empty]?.examples == ["b\\u{1b}[31m\\u{a}.py"])
    }

    @Test func manyEmptyFilesAreSkipped() throws {
        let folder = try TemporaryFolder()
        for index in 0..<3000 { close(open(folder.path("\(index).py"), O_CREAT | O_WRONLY, 0o600)) }
        let found = try walk(folder)
        #expect(found.paths.isEmpty)
        #expect(found.skipped.entries[.empty]?.count == 3000)
        #expect(found.skipped.entries[.empty]?.examples.count == 5)
    }

    @Test func theDepthOfFoldersIsLimited() throws {
        let folder = try TemporaryFolder()
        let deep = Array(repeating: "d", count: 80).joined(separator: "/")
        try folder.write("\(deep)/a.py", "x")
        try folder.write("d/b.py", "x")
        let found = try walk(folder)
        #expect(found.paths == ["d/b.py"])
        #expect(found.skipped.entries[.depth]?.count == 1)
    }

    @Test func gitIgnoreFilesAreFollowed() throws {
        let folder = try TemporaryFolder()
        try folder.write(".git/info/exclude", "excluded.py\n")
        try folder.write(".gitignore", "*.log.py\n/out\nsub/inner.py\n")
        try folder.write("sub/.gitignore", "!keep.log.py\nlocal.py\n")
        for name in [
            "a.py", "a.log.py", "excluded.py", "out/x.py", "sub/out/x.py", "sub/inner.py", "sub/keep.log.py",
            "sub/local.py", "local.py", "node_modules/m.js", "sub/__pycache__/c.py",
        ] { try folder.write(name, "x") }
        let kept = [".gitignore", "a.py", "local.py", "sub/.gitignore", "sub/keep.log.py", "sub/out/x.py"]
        #expect(try walk(folder).paths == kept)
        // A walk that begins in a subfolder follows the same rules.
        #expect(try walk(folder, below: "sub").paths == [".gitignore", "keep.log.py", "out/x.py"])
        #expect(try walk(folder) { $0.respectsGitIgnore = false }.paths.count == 11)
    }

    /// Compares with the real git, if it is installed.
    @Test func agreesWithGit() throws {
        let folder = try TemporaryFolder()
        func git(_ arguments: String...) throws -> String? {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["git", "-C", folder.url.path] + arguments
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try process.run()
            let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return process.terminationStatus == 0 ? String(decoding: output, as: UTF8.self) : nil
        }
        guard try git("init", "-q") != nil else { return }
        try folder.write("tracked.tmp", "x")
        try folder.write("ignored/tracked.py", "x")
        try folder.write("ignored/deep/tracked.py", "x")
        #expect(try git("add", "-f", ".") != nil)
        for version in ["2", "4"] {
            #expect(try git("update-index", "--index-version", version) != nil)
            try folder.write(".gitignore", "*.tmp\nignored/\n**/cache/*.py\n!/a/cache/x.py\n")
            for name in [
                "new.tmp", "ignored/new.py", "ignored/deep/new.py", "cache/x.py", "a/cache/x.py", "a/cache/y.py",
                "a/b/cache/deeper/z.py", "plain.py",
            ] { try folder.write(name, "x") }
            let listed = try #require(try git("ls-files", "-co", "--exclude-standard"))
            #expect(try walk(folder).paths == listed.split(separator: "\n").map(String.init).sorted())
        }
    }

    @Test(
        arguments: [
            ("a.py", "x = 1\n", nil), ("a.bin", "x", .binary), ("a.py", "x\0y", .binary),
            ("package-lock.json", "{}", .generated), ("x.min.js", "x", .generated), ("x_pb2.py", "x", .generated),
            ("x.go", "// Code generated by protoc. DO NOT EDIT.\n", .generated), (".env", "A=1", .secret),
            ("server.pem", "x", .secret), ("id_rsa", "x", .secret), (".env.example", "A=1", nil),
            ("k.py", "KEY = '''-----BEGIN RSA " + "PRIVATE KEY-----\nabc'''", .secret),
            ("k.py", "token = \"ghp_" + String(repeating: "a1", count: 18) + "\"", .secret),
            ("k.py", "AKIA" + "ABCDEFGHIJKLMNOP", .secret), ("k.py", "name = \"ghp_short\"", nil),
            ("big.js", String(repeating: "var a=1;", count: 1000), .generated),
        ] as [(String, String, SkipReason?)])
    func filters(name: String, contents: String, reason: SkipReason?) {
        let options = IngestionOptions()
        let found = NameFilter(options).reason(Array(name.utf8)) ?? ContentFilter(options).reason(Array(contents.utf8))
        #expect(found == reason)
    }

    @Test func extensionsCanBeSelected() throws {
        let folder = try TemporaryFolder()
        for name in ["a.py", "b.PY", "c.swift", "d"] { try folder.write(name, "x") }
        #expect(try walk(folder) { $0.extensions = ["py"] }.paths == ["a.py", "b.PY"])
    }
}

private func writeText(_ descriptor: CInt, _ text: String, _ count: Int) -> Int { write(descriptor, text, count) }
