// Ignored files are not read. The real git is the reference for generated trees.

import Foundation
import InferCodeSwift
import TestSupport
import Testing

struct GitIgnoreTests {
    private static let words = ["a", "b", "ab", "A", "a b", "x-y", "[a]", "a!", "#a", "é", "b.c", "a\\b", "aab", "c "]

    private func path(_ generator: inout SeededGenerator) -> String {
        (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            Self.words.randomElement(using: &generator) ?? "a"
        }.joined(separator: "/")
    }

    private func pattern(_ generator: inout SeededGenerator) -> String {
        let parts = [
            "a", "b", "ab", "c", "*", "*", "**", "?", "/", "/", "[ab]", "[!a]", "[^b]", "[a-c]", "[c-a]", "[]a]", "[a",
            "[[:alpha:]]", "[[:upper:]x]", "[[:bad:]]", "[\\]a]", "[a-]", "\\a", "\\*", "\\", "!", "#", " ", ".", "é",
            "**/", "/**", "/**/", "x-y", "A", "\\ ", "[a-\\c]", "[[:punct:]]", "[:a]", "\\/", "B",
        ]
        var text = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
            parts.randomElement(using: &generator) ?? "a"
        }.joined()
        if Int.random(in: 0..<2, using: &generator) == 0 { text = path(&generator) }
        if Int.random(in: 0..<4, using: &generator) == 0 { text = "/" + text }
        if Int.random(in: 0..<4, using: &generator) == 0 { text = "!" + text }
        if Int.random(in: 0..<5, using: &generator) == 0 { text += "/" }
        if Int.random(in: 0..<10, using: &generator) == 0 { text += "  " }
        if Int.random(in: 0..<10, using: &generator) == 0 { text += "\r" }
        return text
    }

    private func rules(_ generator: inout SeededGenerator) -> String {
        let lines = (0..<Int.random(in: 0...5, using: &generator)).map { _ in pattern(&generator) }
        let mark = Int.random(in: 0..<6, using: &generator) == 0 ? "\u{FEFF}" : ""
        return mark + lines.joined(separator: "\n") + (Bool.random(using: &generator) ? "\n" : "")
    }

    /// Fills a repository. Some files are tracked before there are rules, so git lists them in any case.
    private func fill(_ oracle: GitOracle, _ name: String, _ generator: inout SeededGenerator) throws {
        var folders: Set<String> = [""]
        for index in 0..<10 {
            if index == 3 { try oracle.run("cd \(name) && git add -Af .") }
            let file = path(&generator)
            // One path may need a folder where another has a file.
            guard (try? oracle.folder.write("\(name)/\(file)", "x")) != nil else { continue }
            if let slash = file.lastIndex(of: "/") { folders.insert(String(file[...slash])) }
        }
        for folder in folders.sorted() where folder.isEmpty || Int.random(in: 0..<3, using: &generator) == 0 {
            _ = try? oracle.folder.write("\(name)/\(folder).gitignore", rules(&generator))
        }
    }

    /// The number of trees; an environment variable sets it for longer runs.
    private static let trees = ProcessInfo.processInfo.environment["SWIFTINFER_GIT_TREES"].flatMap { Int($0) } ?? 60
    private static let seed =
        ProcessInfo.processInfo.environment["SWIFTINFER_GIT_SEED"].flatMap { UInt64($0) } ?? 60

    @Test func generatedTrees() throws {
        var generator = SeededGenerator(Self.seed)
        guard let oracle = try GitOracle() else { return }
        for tree in 0..<Self.trees {
            try oracle.run(
                "rm -rf r w home/settings; git init -q r; cd r; git config core.ignoreCase \(tree % 5 == 4)")
            if tree % 3 == 0 { try oracle.run("cd r && git update-index --index-version 4") }
            try fill(oracle, "r", &generator)
            try oracle.folder.write("r/.git/info/exclude", rules(&generator))
            try oracle.folder.write("home/settings/git/ignore", rules(&generator))
            if tree % 4 == 1 {
                try oracle.folder.write("home/other", rules(&generator))
                try oracle.run("cd r && git config core.excludesFile '~/other'")
            }
            let expected = try oracle.listed("r")
            var walked = try oracle.walked("r").files
            if tree % 5 == 4 {
                // If git ignores case and tracks one of A and a, it does not list the other.
                let tracked = try oracle.run("cd r && git ls-files -z") ?? Data()
                let names = Set(tracked.split(separator: 0).map { lowercased(Array($0)) })
                walked = walked.filter { expected.contains($0) || !names.contains(lowercased($0)) }
            }
            #expect(walked == expected, "tree \(tree): \(describe(walked, expected))")
            // A walk that begins in a subfolder follows the same rules.
            if tree % 2 == 0, try oracle.run("test -d r/a") != nil {
                let below = try oracle.listed("r/a")
                let walked = try oracle.walked("r/a").files
                #expect(walked == below, "tree \(tree) below: \(describe(walked, below))")
            }
        }
    }

    /// Linked worktrees, submodules, sparse working trees and nested repositories.
    @Test func treesOfSeveralRepositories() throws {
        var generator = SeededGenerator(Self.seed)
        guard let oracle = try GitOracle() else { return }
        for tree in 0..<max(1, Self.trees / 6) {
            try oracle.run("rm -rf r w s; git init -q r; git init -q s")
            try fill(oracle, "s", &generator)
            try fill(oracle, "r", &generator)
            try oracle.run("cd s && git add -Af . && git commit -qm s")
            try oracle.run(
                "cd r && git submodule -q add ../s sub; git add -A; git commit -qm r; git worktree add -q ../w")
            for name in ["r", "w", "r/sub"] { try fill(oracle, name, &generator) }
            for name in ["r/.git/info/exclude", "r/.git/modules/sub/info/exclude"] {
                try oracle.run("mkdir -p $(dirname \(name))")
                try oracle.folder.write(name, rules(&generator))
            }
            try oracle.run("git init -q r/nested")
            try fill(oracle, "r/nested", &generator)
            if tree % 2 == 0 {
                try oracle.run(
                    "cd w && git config extensions.worktreeConfig true; git sparse-checkout set --no-cone '/a*'")
            }
            for name in ["w", "r/sub", "r/nested"] {
                let expected = try oracle.listed(name)
                let walked = try oracle.walked(name)
                // If its .gitignore is absent, only the tracked files of a sparse tree are taken, and this is reported.
                let isPartial = walked.skipped.entries[.unknown] != nil
                #expect(
                    walked.files.subtracting(expected).isEmpty, "\(tree) \(name): \(describe(walked.files, expected))")
                let isWhole = expected.subtracting(walked.files).isEmpty
                #expect(isPartial || isWhole, "\(tree) \(name): \(describe(walked.files, expected))")
            }
            // A walk from outside reads inner repositories by their own rules.
            var allowed = try oracle.listed("r")
            for name in ["sub", "nested"] {
                allowed.formUnion(try oracle.listed("r/\(name)").map { Array("\(name)/".utf8) + $0 })
            }
            let walked = try oracle.walked("r").files
            #expect(walked.subtracting(allowed).isEmpty, "\(tree): \(describe(walked, allowed))")
            let own = try oracle.listed("r").subtracting(walked)
            #expect(own.isEmpty, "\(tree): \(describe(walked, allowed))")
        }
    }

    /// The shell command puts a rule in one place. A walk then takes `kept.py` but not `private.py`.
    @Test(
        arguments: [
            "git config core.excludesFile ../x", "git config core.excludesFile '~/../x'",
            "printf '[core]\n\texcludesFile = \\042../x\\042 ; why\n' >> ../home/.gitconfig",
            "printf '\\357\\273\\277[CORE]excludesfile=../\\\\\nx' >> .git/config",
            "mkdir -p ../home/settings/git && cp ../x ../home/settings/git/ignore",
            "printf '[core]\nexcludesFile=../x' > ../home/i; printf '[include]path=i\n' >> ../home/.gitconfig",
            "printf '[core]\nexcludesFile=../x' > ../home/i; git config --global includeIf.gitdir:**/r/.path '~/i'",
            "printf '[core]\nexcludesFile=../x' > ../home/i; git config --global includeIf.onbranch:*.path '~/i'",
            "printf '[core]\nexcludesFile=../x' > .git/i; git config includeIf.gitdir/i:/**/R/.GIT.path i",
            "git config extensions.worktreeConfig true; git config --worktree core.excludesFile ../x",
            "git config core.excludesFile /nowhere; mv .git ../g; echo 'gitdir: ../g' > .git; cp ../x ../g/info/exclude",
            "mv .git ../g; ln -s ../g .git; cp ../x .git/info/exclude",
            "rm .git/info/exclude; ln -s ../../../x .git/info/exclude",
            "printf '\\357\\273\\277private.py\\r\\n' > .gitignore", "printf 'private.py' > .gitignore",
            "git config core.ignoreCase true; echo PRIVATE.* > .gitignore",
        ])
    func rulesAreFound(command: String) throws {
        guard let oracle = try GitOracle() else { return }
        try oracle.folder.write("x", "private.py\n")
        for name in ["kept", "private"] { try oracle.folder.write("r/\(name).py", "x") }
        #expect(try oracle.run("cd r && \(command)") != nil)
        let expected = try oracle.listed("r")
        #expect(!expected.contains(Array("private.py".utf8)))
        #expect(try oracle.walked("r").files == expected)
    }

    /// If rules cannot be known, only tracked files are taken, and this is reported.
    @Test(
        arguments: [
            "git config core.excludesFile '%(prefix)/x'", "git config core.excludesFile '~nobody-of-this-name/x'",
            "echo '[core' >> .git/config", "echo '[core] excludesFile' >> .git/config",
            "printf '[core]\nexcludesFile=../x' > .git/i; git config 'includeIf.hasconfig:remote.*.url:x.path' i",
            "mkdir ../d; git config core.excludesFile ../d", "ln -s ../x .gitignore",
            "head -c 1100000 /dev/zero | tr '\\0' '#' > .gitignore; echo >> .gitignore; echo private.py >> .gitignore",
            "for i in $(seq 9000); do echo \"a*$i*b\"; done > .gitignore; echo private.py >> .gitignore",
            "mv .git ../g; echo 'gitdir: ../nowhere' > .git",
        ])
    func unknownRules(command: String) throws {
        guard let oracle = try GitOracle() else { return }
        try oracle.folder.write("x", "private.py\n")
        for name in ["tracked", "private"] { try oracle.folder.write("r/\(name).py", "x") }
        try oracle.run("cd r && git add tracked.py")
        #expect(try oracle.run("cd r && \(command)") != nil)
        let walked = try oracle.walked("r")
        let hasIndex = !command.contains("nowhere")
        #expect(walked.files == (hasIndex ? [Array("tracked.py".utf8)] : []))
        #expect(walked.skipped.entries[.unknown]?.examples.contains("private.py") == true)
    }

    /// The index says which ignored files are tracked. Without it they are lost, and this is reported.
    @Test func damagedIndexesAreReported() throws {
        guard let oracle = try GitOracle() else { return }
        try oracle.folder.write("r/.gitignore", "ignored.py\n")
        for name in ["kept", "ignored"] { try oracle.folder.write("r/\(name).py", "x") }
        for command in ["git add -f .", "git update-index --split-index", "echo damaged > .git/index"] {
            #expect(try oracle.run("cd r && \(command)") != nil)
            let walked = try oracle.walked("r")
            #expect(walked.files.contains(Array("kept.py".utf8)))
            let isTaken = walked.files.contains(Array("ignored.py".utf8))
            #expect(isTaken || walked.skipped.entries[.unknown]?.examples.first?.hasSuffix("/r/.git/index") == true)
        }
    }

    @Test func gitFilesAreNoDocuments() throws {
        let folder = try TemporaryFolder()
        for name in [".git", "a/.git", "a/.GIT", "a/b/.git"] { try folder.write(name, "gitdir: /home/somebody/r\n") }
        for respectsGitIgnore in [true, false] {
            var options = IngestionOptions()
            options.respectsGitIgnore = respectsGitIgnore
            var walk = FolderWalk(try RootedFolder(path: folder.url.path), options: options)
            try walk.run()
            #expect(walk.files.isEmpty)
        }
    }

    /// A very large rule file costs little more than a small one.
    @Test(arguments: ["name$.py", "/folder/name$.py", "*$.py", "$*", "!name$.py"])
    func manyRules(pattern: String) {
        let lines = (0..<60_000).map { pattern.replacing("$", with: "\($0)") }
        let file = IgnoreFile(Array(lines.joined(separator: "\n").utf8))
        let start = ContinuousClock.now
        for index in 0..<300 { _ = file.ignores(Array("some/folder/other\(index)".utf8), isFolder: false) }
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    private func lowercased(_ path: [UInt8]) -> [UInt8] {
        Array(String(decoding: path, as: UTF8.self).lowercased().utf8)
    }

    private func describe(_ walked: Set<[UInt8]>, _ expected: Set<[UInt8]>) -> String {
        func text(_ files: Set<[UInt8]>) -> [String] { files.map { String(decoding: $0, as: UTF8.self) }.sorted() }
        return "too many \(text(walked.subtracting(expected))), missing \(text(expected.subtracting(walked)))"
    }
}

/// A repository in a temporary folder with its own home folder, so that the user's configuration has no effect.
struct GitOracle {
    let folder: TemporaryFolder
    /// The environment variables for both git and the walk.
    let environment: [String: String]

    /// Nil if git is not installed.
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

    /// The output of a shell command that runs in the folder; nil if it fails.
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

    /// The files in the repository `name` that git tracks or does not ignore, and that exist and are not empty.
    func listed(_ name: String) throws -> Set<[UInt8]> {
        let output = try run("cd \(name) && git ls-files -z -co --exclude-standard") ?? Data()
        let root = try RootedFolder(path: folder.path(name))
        return Set(
            try output.split(separator: 0).map { Array($0) }.filter {
                try root.read($0, limit: 1 << 20)?.isEmpty == false
            })
    }

    /// The files that a walk of `name` takes.
    func walked(_ name: String) throws -> (files: Set<[UInt8]>, skipped: SkipReport) {
        let environment = environment
        var walk = FolderWalk(
            try RootedFolder(path: folder.path(name)), options: IngestionOptions(), environment: { environment[$0] })
        try walk.run()
        return (Set(walk.files.map(\.path)), walk.skipped)
    }
}
