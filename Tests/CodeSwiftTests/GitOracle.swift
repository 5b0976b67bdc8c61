// The real git, asked about trees made for it.

import Foundation
import InferCodeSwift
import TestSupport

/// A repository in a temporary folder, with a home of its own, so that nobody's configuration counts.
struct GitOracle {
    let folder: TemporaryFolder
    /// What both git and the walk see of the environment.
    let environment: [String: String]

    /// Nil when there is no git.
    init?() throws {
        let folder = try TemporaryFolder()
        try folder.write("home/.gitconfig", "[user]\n name = a\n email = a@b\n[protocol \"file\"]\n allow = always\n")
        self.folder = folder
        environment = [
            "HOME": folder.path("home"), "XDG_CONFIG_HOME": folder.path("home/settings"), "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
        ]
        guard try run("git init -q r") != nil else { return nil }
    }

    /// What a shell command, run in the folder, prints; nil when it fails.
    @discardableResult
    func run(_ script: String) throws -> Data? {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = folder.url
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? output : nil
    }

    /// Files below the repository `name` that git tracks or does not ignore, that are there and not empty.
    func listed(_ name: String) throws -> Set<[UInt8]> {
        let output = try run("cd \(name) && git ls-files -z -co --exclude-standard") ?? Data()
        let root = try RootedFolder(path: folder.path(name))
        return Set(
            try output.split(separator: 0).map { Array($0) }.filter {
                try root.read($0, limit: 1 << 20)?.isEmpty == false
            })
    }

    /// Files that a walk of `name` takes.
    func walked(_ name: String) throws -> (files: Set<[UInt8]>, skipped: SkipReport) {
        let environment = environment
        var walk = FolderWalk(
            try RootedFolder(path: folder.path(name)), options: IngestionOptions(), environment: { environment[$0] })
        try walk.run()
        return (Set(walk.files.map(\.path)), walk.skipped)
    }
}
