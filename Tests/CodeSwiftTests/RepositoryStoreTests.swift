// A repository store while the working tree changes.

import Foundation
import InferCodeSwift
import InferTokenizers
import TestSupport
import Testing

struct RepositoryStoreTests {
    private func store(_ folder: TemporaryFolder) throws -> (RepositoryStore, Tokenizer) {
        let tokenizer = try IngestionTests.tokenizer.get()
        return (try RepositoryStore(path: folder.url.path, tokenizer: tokenizer), tokenizer)
    }

    /// Whether all of `text` after its first three tokens is offered, token by token.
    private func offers(_ segments: [StoreSegment], _ text: String, _ tokenizer: Tokenizer) -> Bool {
        let tokens = tokenizer.encode(text, addSpecial: false)
        return segments.contains { segment in
            (3..<tokens.count).allSatisfy { end in
                guard let range = segment.index.find(tokens[..<end]) else { return false }
                var found: [Continuation] = []
                segment.index.continuations(of: range, limit: 50, excluding: segment.excluded, into: &found)
                return found.contains { $0.token == tokens[end] }
            }
        }
    }

    @Test func followsNewChangedAndRemovedFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("a.py", "alpha = first_value + 1\n")
        try folder.write("b.py", "beta = second_value * 2\n")
        let (store, tokenizer) = try store(folder)
        #expect(store.segments.isEmpty)
        #expect(try store.refresh() == RepositoryStore.Changes(updated: 2, removed: 0))
        #expect(store.fileCount == 2)
        #expect(offers(store.segments, "alpha = first_value + 1", tokenizer))
        let before = store.segments
        let generation = store.generation
        #expect(try store.refresh() == RepositoryStore.Changes())
        #expect(store.generation == generation)

        try folder.write("a.py", "alpha = changed_value - 17\n")
        try folder.write("c/d.py", "gamma = third_value / 3\n")
        try FileManager.default.removeItem(atPath: folder.path("b.py"))
        #expect(try store.refresh() == RepositoryStore.Changes(updated: 2, removed: 1))
        #expect(store.generation > generation)
        #expect(!offers(store.segments, "alpha = first_value + 1", tokenizer))
        #expect(!offers(store.segments, "beta = second_value * 2", tokenizer))
        #expect(offers(store.segments, "alpha = changed_value - 17", tokenizer))
        #expect(offers(store.segments, "gamma = third_value / 3", tokenizer))
        // Segments that are still in use do not change.
        #expect(offers(before, "beta = second_value * 2", tokenizer))
    }

    @Test func oneFileCanBeRefreshed() throws {
        let folder = try TemporaryFolder()
        try folder.write("a.py", "alpha = first_value + 1\n")
        let (store, tokenizer) = try store(folder)
        try store.refresh()
        try folder.write("a.py", "alpha = changed_value - 17\n")
        try store.refresh(path: "a.py")
        #expect(offers(store.segments, "alpha = changed_value - 17", tokenizer))
        #expect(!offers(store.segments, "alpha = first_value + 1", tokenizer))
        try FileManager.default.removeItem(atPath: folder.path("a.py"))
        try store.refresh(path: "a.py")
        #expect(store.fileCount == 0)
        try store.refresh(path: "../outside.py")
        #expect(store.fileCount == 0)
    }

    /// A file given by name follows the same rules as a file found by walking.
    @Test func ignoredFilesAreNotRefreshed() throws {
        let folder = try TemporaryFolder()
        try folder.write(".git/info/exclude", "excluded.py\n")
        try folder.write("a/.gitignore", "/out/\n")
        let (store, _) = try store(folder)
        for name in ["excluded.py", "a/out/b.py", "c/.git", ".git/c.py", "node_modules/d.js"] {
            try folder.write(name, "x = 1\n")
            try store.refresh(path: name)
            #expect(store.fileCount == 0, "\(name)")
        }
        try folder.write("a/b.py", "x = 1\n")
        try store.refresh(path: "a/b.py")
        #expect(store.fileCount == 1)
    }

    /// After many changes the store offers the same as a new store.
    @Test func manyChangesGiveTheSameAsANewStore() throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(50)
        func line(_ file: Int, _ version: Int) -> String {
            "name_\(file) = compute_\(version)(\(file) * \(version) + 12)\n"
        }
        for file in 0..<30 { try folder.write("f\(file).py", line(file, 0)) }
        let (store, tokenizer) = try store(folder)
        try store.refresh()
        var versions: [Int: Int] = Dictionary(uniqueKeysWithValues: (0..<30).map { ($0, 0) })
        var largest = 0
        for version in 1...40 {
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let file = Int.random(in: 0..<30, using: &generator)
                if versions[file] != nil, Int.random(in: 0..<4, using: &generator) == 0 {
                    versions[file] = nil
                    try FileManager.default.removeItem(atPath: folder.path("f\(file).py"))
                } else {
                    versions[file] = version
                    try folder.write("f\(file).py", line(file, version))
                }
            }
            try store.refresh()
            largest = max(largest, store.segments.count)
            #expect(store.fileCount == versions.count)
        }
        #expect(largest > 1 && largest <= 6)
        let segments = store.segments
        for file in 0..<30 {
            for version in 0...40 {
                let text = String(line(file, version).dropLast())
                #expect(offers(segments, text, tokenizer) == (versions[file] == version), "\(text)")
            }
        }
    }

    @Test func linesCanBeExcluded() throws {
        let folder = try TemporaryFolder()
        let lines = (1...9).map { "    line_number_\($0)(\($0 * 111), \"text \($0)\")" }
        try folder.write("a.py", lines.joined(separator: "\n"))
        let (store, tokenizer) = try store(folder)
        try store.refresh()
        let segments = store.segments(excluding: 4...6, of: "a.py")
        for (number, line) in lines.enumerated() {
            // The first tokens of a line depend on the line break before it.
            let text = String(line.dropFirst(4))
            #expect(offers(store.segments, text, tokenizer))
            #expect(offers(segments, text, tokenizer) == !(4...6).contains(number + 1), "\(text)")
        }
        #expect(offers(store.segments(excluding: 1...9, of: "other.py"), String(lines[0].dropFirst(4)), tokenizer))
    }

    @Test func copiesCanBeExcluded() throws {
        let folder = try TemporaryFolder()
        let copied = "result = transform_the_input(value_one, value_two, value_three, 12345)"
        try folder.write("a.py", "def f():\n    \(copied)\n    return other_result_entirely\n")
        let (store, tokenizer) = try store(folder)
        try store.refresh()
        var segment = try #require(store.segments.first)
        #expect(offers([segment], " " + copied, tokenizer))
        segment.excludeCopies(of: tokenizer.encode(" " + copied, addSpecial: false), length: 8)
        #expect(!offers([segment], " " + copied, tokenizer))
        #expect(offers([segment], " return other_result_entirely", tokenizer))
    }

    @Test func theTopIsTheNearestFolderWithGit() throws {
        let folder = try TemporaryFolder()
        try folder.write("outer/.git/HEAD", "ref: refs/heads/main\n")
        try folder.write("outer/inner/.git", "gitdir: ../modules/inner\n")
        try folder.write("outer/inner/deep/a.py", "a = 1\n")
        try folder.write("outer/plain/a.py", "a = 1\n")
        #expect(RepositoryStore.top(around: folder.path("outer/inner/deep"))?.hasSuffix("/outer/inner") == true)
        #expect(RepositoryStore.top(around: folder.path("outer/plain"))?.hasSuffix("/outer") == true)
        #expect(RepositoryStore.top(around: folder.path("outer/missing")) == nil)
    }

    @Test func aFollowerIndexesInTheBackground() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a.py", "alpha = first_value + 1\n")
        let tokenizer = try IngestionTests.tokenizer.get()
        let follower = try RepositoryFollower(path: folder.url.path, tokenizer: tokenizer)
        #expect(follower.generation == 0 && follower.segments.isEmpty)
        follower.refresh()
        while follower.generation == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(offers(follower.segments, "alpha = first_value + 1", tokenizer))
    }

    @Test func runsOfThePromptAreExcludedButNotWhatFollows() throws {
        let folder = try TemporaryFolder()
        let shown = (0..<12).map { "value_\($0) = compute(\($0 * 31))\n" }.joined()
        try folder.write("a.py", shown + "result = summarise(everything, at_once)\n")
        let (store, tokenizer) = try store(folder)
        try store.refresh()
        var segment = try #require(store.segments.first)
        #expect(offers([segment], "value_3 = compute(93)", tokenizer))
        segment.excludeStretches(of: tokenizer.encode("other\n" + shown, addSpecial: false))
        #expect(!offers([segment], "value_3 = compute(93)", tokenizer))
        #expect(offers([segment], "result = summarise(everything, at_once)", tokenizer))
    }
}
