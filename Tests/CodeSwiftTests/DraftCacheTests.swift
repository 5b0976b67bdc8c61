// The file that keeps what a drafter has learned.

import Foundation
import InferCodeSwift
import InferDecoding
import Synchronization
import TestSupport
import Testing

struct DraftCacheTests {
    private let output = {
        var generator = SeededGenerator(90)
        return (0..<100).map { _ in Int32.random(in: 0..<40, using: &generator) }
    }()

    /// A drafter that has generated ``output`` and has seen the model's top tokens after the prompt.
    private func experienced() -> CodeSwiftDrafter {
        let drafter = CodeSwiftDrafter()
        drafter.reset(to: [39])
        let topTokens = [7, 8, 9].map { TopToken(token: $0, logit: 1) }
        drafter.observe(DraftOutcome(tokens: [output[0]], topTokenRows: [topTokens]))
        for token in output.dropFirst() { drafter.observe(DraftOutcome(tokens: [token])) }
        drafter.endOutput()
        return drafter
    }

    private func cache(
        _ folder: TemporaryFolder, repository: String = "/r", fingerprint: UInt64 = 1,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) -> DraftCache {
        let tokenizer = TokenizerIdentity(name: "tests", fingerprint: fingerprint, vocabularyCount: 40)
        return DraftCache(folder: folder.path("a/b"), repository: repository, tokenizer: tokenizer, warn: warn)
    }

    /// The memory of a new drafter that has read a cache.
    private func memory(_ cache: DraftCache) -> DraftMemory {
        cache.load()
        cache.finish()
        let drafter = CodeSwiftDrafter()
        drafter.adopt(cache)
        return drafter.memory
    }

    @Test func aMemoryIsRestoredInTheNextRun() throws {
        let folder = try TemporaryFolder()
        let drafter = experienced()
        let saved = drafter.memory
        #expect(saved.historyCount == output.count)
        #expect(saved.preferenceCount == 1)
        let first = cache(folder)
        first.save(saved)
        first.finish()
        #expect(memory(cache(folder)) == saved)

        // It is effective: the same output is drafted at once.
        let second = cache(folder)
        second.load()
        second.finish()
        let next = CodeSwiftDrafter()
        next.reset(to: [38] + output.prefix(8))
        next.adopt(second)
        var tree = DraftTree()
        next.draft(into: &tree, limit: 16)
        var node = DraftTree.root
        var right = 0
        for token in output[8...] {
            guard let child = tree.child(token, of: node) else { break }
            (node, right) = (child, right + 1)
        }
        #expect(right >= 4)
    }

    @Test func onlyTheUserCanReadIt() throws {
        let folder = try TemporaryFolder()
        let cache = cache(folder)
        cache.save(experienced().memory)
        cache.finish()
        let attributes = try FileManager.default.attributesOfItem(atPath: cache.path)
        #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o077 } == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("a/b")).count == 1)
    }

    @Test func filesOfOtherTokenizersAndRepositoriesAreNotRead() throws {
        let folder = try TemporaryFolder()
        let own = cache(folder)
        own.save(experienced().memory)
        own.finish()
        #expect(memory(cache(folder, fingerprint: 2)).historyCount == 0)
        #expect(memory(cache(folder, repository: "/s")).historyCount == 0)
        // Not even if the file has the right name.
        let foreign = cache(folder, repository: "/s")
        try FileManager.default.copyItem(atPath: own.path, toPath: foreign.path)
        let warnings = Mutex(0)
        let reader = cache(folder, repository: "/s") { _ in warnings.withLock { $0 += 1 } }
        #expect(memory(reader).historyCount == 0)
        #expect(warnings.withLock { $0 } == 1)
    }

    @Test func damagedFilesAreReplaced() throws {
        let folder = try TemporaryFolder()
        let saved = experienced().memory
        let cache = cache(folder)
        cache.save(saved)
        cache.finish()
        let url = URL(filePath: cache.path)
        let bytes = [UInt8](try Data(contentsOf: url))
        var generator = SeededGenerator(91)
        for trial in 0..<60 {
            var damaged = bytes
            switch trial % 3 {
            case 0: damaged[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8(trial % 8)
            case 1: damaged.removeLast(Int.random(in: 1...bytes.count, using: &generator))
            default: damaged.append(contentsOf: [UInt8](repeating: UInt8(trial), count: trial))
            }
            try Data(damaged).write(to: url)
            #expect(memory(self.cache(folder)).historyCount == 0)
        }
        cache.save(saved)
        cache.finish()
        #expect(memory(self.cache(folder)) == saved)
    }

    /// A damaged file can have gigabytes. It is refused by its length.
    @Test func impossibleLengthsAreRefusedWithoutReading() throws {
        let folder = try TemporaryFolder()
        let cache = cache(folder)
        cache.save(experienced().memory)
        cache.finish()
        let file = try FileHandle(forUpdating: URL(filePath: cache.path))
        for count in [0, UInt64((3 << 30) - 56 - 2 - 8) / 4] {
            // Without and with a header that claims this length.
            if count > 0 {
                try file.seek(toOffset: 24)
                try file.write(contentsOf: withUnsafeBytes(of: count.littleEndian) { Data($0) } + Data(count: 24))
            }
            try file.truncate(atOffset: 3 << 30)
            let duration = ContinuousClock().measure { #expect(memory(self.cache(folder)).historyCount == 0) }
            #expect(duration < .seconds(1))
        }
    }

    @Test func filesOfOtherVersionsAreReplacedWithoutAWarning() throws {
        let folder = try TemporaryFolder()
        let saved = experienced().memory
        let cache = cache(folder)
        cache.save(saved)
        cache.finish()
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: cache.path)))
        bytes[8] += 1
        try Data(bytes).write(to: URL(filePath: cache.path))
        let warnings = Mutex(0)
        let reader = self.cache(folder) { _ in warnings.withLock { $0 += 1 } }
        #expect(memory(reader).historyCount == 0)
        #expect(warnings.withLock { $0 } == 0)
        reader.save(saved)
        reader.finish()
        #expect(memory(self.cache(folder)) == saved)
    }

    @Test func writersDoNotDisturbEachOther() throws {
        let folder = try TemporaryFolder()
        let memories = [experienced().memory, DraftMemory()]
        let caches = (0..<4).map { _ in cache(folder) }
        for round in 0..<40 { caches[round % 4].save(memories[round % 2]) }
        for cache in caches { cache.finish() }
        let warnings = Mutex(0)
        let last = memory(cache(folder) { _ in warnings.withLock { $0 += 1 } })
        #expect([0, output.count].contains(last.historyCount))
        #expect(warnings.withLock { $0 } == 0)
    }

    @Test func theNumberOfFilesIsLimited() throws {
        let folder = try TemporaryFolder()
        for number in 0..<70 {
            let cache = cache(folder, repository: "/r\(number)")
            cache.save(DraftMemory())
            cache.finish()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("a/b")).count == 64)
    }

    @Test func aFolderThatCannotBeWrittenIsReported() throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "a file where the folder would be")
        let warnings = Mutex(0)
        let cache = cache(folder) { _ in warnings.withLock { $0 += 1 } }
        cache.save(DraftMemory())
        cache.finish()
        #expect(warnings.withLock { $0 } == 1)
    }
}
