// What git ignores is not read: generated trees with the real git as the judge.

import CodeSwift
import Foundation
import GGUF
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
            let walked = try oracle.walked("r").files
            let agrees = walked == expected
            #expect(agrees, "tree \(tree): \(describe(walked, expected)) \(oracle.folder.url.path)")
            guard agrees else { return }
            // A walk that begins further down obeys the same rules.
            if tree % 2 == 0, FileManager.default.fileExists(atPath: oracle.folder.path("r/a/")) {
                let below = try oracle.listed("r/a")
                let walked = try oracle.walked("r/a").files
                #expect(walked == below, "tree \(tree) below: \(describe(walked, below))")
            }
        }
    }

    private func describe(_ walked: Set<[UInt8]>, _ expected: Set<[UInt8]>) -> String {
        func text(_ files: Set<[UInt8]>) -> [String] { files.map { String(decoding: $0, as: UTF8.self) }.sorted() }
        return "too many \(text(walked.subtracting(expected))), missing \(text(expected.subtracting(walked)))"
    }
}
