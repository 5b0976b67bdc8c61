// The drafter on texts with a known continuation.

import Foundation
import InferCodeSwift
import InferDecoding
import InferSupport
import TestSupport
import Testing

struct CodeSwiftDrafterTests {
    /// Generates `output` after `prompt` and returns the number of steps when up to `nodes` nodes are checked per step.
    private func steps(
        _ drafter: CodeSwiftDrafter, _ prompt: [Int32], _ output: [Int32], nodes: Int = 8
    ) -> Int {
        drafter.reset(to: prompt)
        var position = 0
        var steps = 0
        while position < output.count {
            var tree = DraftTree()
            drafter.draft(into: &tree, limit: nodes)
            #expect(tree.count <= nodes)
            #expect(tree.nodes.allSatisfy { tree.values[$0] > 0 && tree.values[$0] <= 1 && tree.tokens[$0] >= 0 })
            var node = DraftTree.root
            var tokens: [Int32] = []
            while position < output.count {
                tokens.append(output[position])
                position += 1
                guard let child = tree.child(tokens[tokens.count - 1], of: node) else { break }
                node = child
            }
            drafter.observe(DraftOutcome(tree: tree, checked: Array(tree.nodes), tokens: tokens))
            steps += 1
        }
        return steps
    }

    private func options(_ change: (inout CodeSwiftDrafter.Options) -> Void) -> CodeSwiftDrafter.Options {
        var options = CodeSwiftDrafter.Options()
        (options.usesContext, options.usesHistory, options.usesCursor, options.usesPreferences) =
            (false, false, false, false)
        change(&options)
        return options
    }

    private func text(_ seed: UInt64, _ count: Int = 120) -> [Int32] {
        var generator = SeededGenerator(seed)
        return (0..<count).map { _ in Int32.random(in: 0..<1000, using: &generator) }
    }

    @Test func repetitionsInTheTextAreFound() {
        let part = text(60)
        let drafter = CodeSwiftDrafter(options: options { $0.usesContext = true })
        #expect(steps(drafter, part + [1001, 1002], part) <= 1 + 1 + part.count / 9 + 2)
        #expect(steps(CodeSwiftDrafter(options: options { _ in }), part, part) == part.count)
    }

    @Test(arguments: [SourceKind.repository, .common]) func storesAreSearched(kind: SourceKind) throws {
        let output = text(61)
        let corpus = try SortedCorpus(Sample.corpus([text(62), output, text(63)], vocabularyCount: 1100))
        let drafter = CodeSwiftDrafter(
            [(StoreSegment(corpus.index), kind)], options: options { _ in })
        #expect(steps(drafter, [1005], output) <= 2 + output.count / 9 + 2)
        // Excluded positions are not offered.
        var segment = StoreSegment(corpus.index)
        segment.excluded.insert(0..<corpus.index.tokenCount)
        drafter.replaceStores([(segment, kind)])
        #expect(steps(drafter, [1005], output) == output.count)
    }

    @Test func earlierOutputsAreRemembered() {
        let output = text(64)
        let drafter = CodeSwiftDrafter(options: options { $0.usesHistory = true })
        #expect(steps(drafter, [1005], output) == output.count)
        #expect(steps(drafter, [1006], output) < output.count / 4)
    }

    /// When the history is full, its older half is dropped, up to the end of an output.
    @Test func theHistoryIsBounded() {
        let (limit, separator) = (1 << 16, Int32(-1))
        var generator = SeededGenerator(66)
        let drafter = CodeSwiftDrafter(options: options { $0.usesHistory = true })
        var expected: [Int32] = []
        var drops = 0
        // The last one alone is longer than all that is kept.
        for length in (0..<40).map({ _ in Int.random(in: 1...6000, using: &generator) }) + [limit + 5, 3] {
            let output = text(UInt64(length), length)
            drafter.observe(DraftOutcome(tokens: output))
            drafter.endOutput()
            expected += output + [separator]
            if expected.count > limit {
                expected = Array(expected.suffix(limit / 2).drop { $0 != separator }.dropFirst())
                drops += 1
            }
            #expect(drafter.memory.historyCount == expected.count { $0 >= 0 })
        }
        #expect(drops > 2)
        // What was kept is found, and nothing else.
        drafter.reset(to: [1005])
        drafter.observe(DraftOutcome(tokens: [1007]))
        drafter.observe(DraftOutcome(tokens: text(8, 40)))
        #expect(steps(drafter, [1006], text(8, 40)) < 15)
    }

    /// The output copies the prompt, but replaces some words by words that occur nowhere else.
    @Test func editsAreFollowed() {
        let original = text(65)
        var edited = original
        for place in stride(from: 17, to: 110, by: 23) {
            edited.replaceSubrange(place..<place + 2, with: [1010, 1011, 1012])
        }
        let with = steps(CodeSwiftDrafter(options: options { $0.usesCursor = true }), original + [1000], edited)
        #expect(with < edited.count / 2)
    }

    @Test func topTokensAreRemembered() {
        let drafter = CodeSwiftDrafter(options: options { $0.usesPreferences = true })
        #expect(drafter.topTokensWanted > 0)
        drafter.reset(to: [1, 2])
        let topTokens = [7, 8, 9].map { TopToken(token: $0, logit: 1) }
        drafter.observe(DraftOutcome(tokens: [7], topTokenRows: [topTokens]))
        drafter.observe(DraftOutcome(tokens: [2]))
        var tree = DraftTree()
        drafter.draft(into: &tree, limit: 8)
        #expect(Set(tree.children(of: DraftTree.root).map { tree.tokens[$0] }) == [7, 8, 9])
    }

    /// Values fall while predictions of a category fail, and rise while they are accepted.
    @Test func valuesFollowOutcomes() {
        let drafter = CodeSwiftDrafter(options: options { $0.usesContext = true })
        func firstValue() -> Float {
            var tree = DraftTree()
            drafter.draft(into: &tree, limit: 1)
            return tree.values.first ?? 0
        }
        let part = text(66, 400)
        drafter.reset(to: part + part.prefix(8))
        let before = firstValue()
        _ = steps(drafter, part + part.prefix(2), Array(part.dropFirst(2)))
        drafter.reset(to: part + part.prefix(8))
        let afterSuccess = firstValue()
        #expect(afterSuccess > before)
        let other = text(67, 400)
        for index in 0..<200 {
            drafter.reset(to: other + other.prefix(8))
            var tree = DraftTree()
            drafter.draft(into: &tree, limit: 1)
            drafter.observe(DraftOutcome(tree: tree, checked: Array(tree.nodes), tokens: [1020 + Int32(index % 70)]))
        }
        drafter.reset(to: part + part.prefix(8))
        #expect(firstValue() < afterSuccess)
    }

    @Test func damagedStoresAreHarmless() throws {
        let folder = try TemporaryFolder()
        let output = text(68)
        let corpus = try SortedCorpus(Sample.corpus([output], vocabularyCount: 1100))
        try DatastoreWriter.write(
            corpus, tokenizer: TokenizerIdentity(name: "t", fingerprint: 1, vocabularyCount: 1100),
            to: folder.path("store"))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.path("store"))))
        var generator = SeededGenerator(69)
        for _ in 0..<100 {
            var damaged = bytes
            for _ in 0..<40 {
                damaged[Int.random(in: 256..<bytes.count - 16, using: &generator)] ^=
                    1 << UInt8.random(in: 0...7, using: &generator)
            }
            let store = try Datastore(MappedFile(contents: damaged, path: "damaged"))
            let drafter = CodeSwiftDrafter([(StoreSegment(store.index), .common)])
            #expect(steps(drafter, [5], output) <= output.count)
        }
    }
}
