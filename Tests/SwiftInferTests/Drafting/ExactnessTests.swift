// The promise: with drafts of any kind, every logits row has the bits it has without.

import Foundation
import SwiftInfer
import TestSupport
import Testing

@Suite struct ExactnessTests {
    static let prompts: [Prompt] = [
        .text("def quicksort(items):\n    if len(items) <= 1:\n        return items\n"),
        .text(String(repeating: "self.items.append(item)\n", count: 6)),
        .text("one two three one two three one"),
    ]

    @Test(arguments: Fixture.names) func everyArchitectureAndType(name: String) async throws {
        let model = try Fixture.model(name)
        var check = ExactnessCheck(plain: try model.makeSession(.plain), drafted: try model.makeSession(.plain))
        check.tokens = 20
        let report = try await check.run(Self.prompts)
        #expect(report.mismatches == 0, "\(report.differences)")
        #expect(report.prompts == 3 && report.runs == 24 && report.rows > 300)
        #expect(report.accepted > 50 && report.drafted > 2 * report.accepted)
    }

    @Test(arguments: [1, 2, 3], KVCacheType.allCases) func threadsAndCacheTypes(threads: Int, type: KVCacheType)
        async throws
    {
        // Head dimensions of 32, which eight-bit keys need, and a window.
        for name in ["tiny-qwen3-f32", "tiny-gpt-oss-mxfp4", "tiny-llama-q4_k"] {
            let plain = try Model(contentsOf: Fixture.path(name), options: .init(threads: 1))
            let drafted = try Model(contentsOf: Fixture.path(name), options: .init(threads: threads))
            let options = Session.Options(cacheType: type, drafter: .none)
            guard let session = try? plain.makeSession(options) else {
                #expect(type == .q8_0)
                continue
            }
            var check = ExactnessCheck(plain: session, drafted: try drafted.makeSession(options))
            check.tokens = 24
            check.widths = [17, 4, 64]
            let report = try await check.run(Array(Self.prompts.prefix(2)))
            #expect(report.mismatches == 0, "\(name) \(report.differences)")
        }
    }

    @Test(arguments: ["tiny-llama-q4_0", "tiny-gemma3-f32", "tiny-gpt-oss-mxfp4"])
    func contextsAroundTheEdgesOfChunks(name: String) async throws {
        let model = try Fixture.model(name)
        let text = try model.tokens(for: .text(String(repeating: longText, count: 2)))
        var check = ExactnessCheck(
            plain: try model.makeSession(.init(contextLength: 700, drafter: .none)),
            drafted: try model.makeSession(.init(contextLength: 700, drafter: .none)))
        check.tokens = 6
        check.samplings = 0
        check.widths = [5, 9, 33, 2]
        let lengths = [16, 32, 64, 128, 256, 512].flatMap { edge in (-2...2).map { edge + $0 } }
        let report = try await check.run(lengths.map { .tokens(Array(text.prefix($0))) })
        #expect(report.mismatches == 0, "\(report.differences)")
        #expect(report.prompts == lengths.count)
    }

    @Test func anotherPrecisionIsNoticed() async throws {
        // The control: sessions that differ in the last bits of keys and values, and in nothing else.
        let model = try Fixture.model()
        let check = ExactnessCheck(
            plain: try model.makeSession(.init(cacheType: .f32, drafter: .none)),
            drafted: try model.makeSession(.init(cacheType: .f16, drafter: .none))
        )
        let report = try await check.run(Self.prompts)
        #expect(report.mismatches > report.rows / 2)
        #expect(!report.differences.isEmpty)
    }

    @Test func allSamplingsAndEveryWidth() async throws {
        let model = try Fixture.model()
        var check = ExactnessCheck(plain: try model.makeSession(.plain), drafted: try model.makeSession(.plain))
        check.tokens = 20
        check.samplings = 3
        for width in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 32, 64] {
            check.widths = [width]
            let report = try await check.run(Array(Self.prompts.prefix(2)))
            #expect(report.mismatches == 0, "\(report.differences)")
            #expect(report.runs == 32)
            #expect((report.drafted > 0) == (width > 1))
        }
    }
}
