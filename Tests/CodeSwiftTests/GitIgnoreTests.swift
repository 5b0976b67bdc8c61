// What git ignores is not read: generated trees with the real git as the judge.

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

    /// Fills a repository; some of its files are tracked before there are rules, and are listed whatever these say.
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

    /// The number of trees can be set for longer runs.
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
                // Git takes A for a where it tracks one of them, and does not list the other, ignored or not.
                let tracked = try oracle.run("cd r && git ls-files -z") ?? Data()
                let names = Set(tracked.split(separator: 0).map { lowercased(Array($0)) })
                walked = walked.filter { expected.contains($0) || !names.contains(lowercased($0)) }
            }
            #expect(walked == expected, "tree \(tree): \(describe(walked, expected))")
            // A walk that begins further down obeys the same rules.
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
                // Without its .gitignore a sparse tree is taken for what is tracked, and that is told.
                let isPartial = walked.skipped.entries[.unknown] != nil
                #expect(
                    walked.files.subtracting(expected).isEmpty, "\(tree) \(name): \(describe(walked.files, expected))")
                let isWhole = expected.subtracting(walked.files).isEmpty
                #expect(isPartial || isWhole, "\(tree) \(name): \(describe(walked.files, expected))")
            }
            // From outside, what is inside is read by its own rules.
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

    /// A walk of a repository with rules in one place, given as a shell command, takes `kept.py` and not `private.py`.
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

    /// Where rules cannot be known only tracked files are taken, and that is told.
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

    /// The index says which ignored files are tracked; without it they are lost, which is told.
    @Test func damagedIndexesAreTold() throws {
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

    @Test func theFileThatStandsForAGitFolderIsNoDocument() throws {
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

    /// The largest file of rules costs little more than a small one, whatever its patterns.
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
