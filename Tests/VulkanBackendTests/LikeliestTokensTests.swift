// The likeliest tokens of rows of logits, found on the device and on the processor.

import Tensors
import Testing
import Transformer
import VulkanBackend

@Suite("Likeliest tokens on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct LikeliestTokensTests {
    /// Logits row after row: scattered ones, few different ones, hardly any that can be chosen, none, all alike.
    private static func logits(_ columns: Int) -> [Float] {
        let special: [Float] = [.nan, 1, -0.0, 0, .infinity, -.infinity, -1, 0x1p-149, -0x1p-140]
        var logits: [Float] = []
        for token in 0..<columns { logits.append(Float(token &* 7919 % 2003) / 100 - 10) }
        for token in 0..<columns { logits.append(special[token * 31 % 61 % special.count]) }
        for token in 0..<columns { logits.append(token % 100 == 99 ? Float(token % 7) : special[token % 2 * 5]) }
        logits += [Float](repeating: .nan, count: columns)
        logits += [Float](repeating: -3, count: columns)
        for token in 0..<columns { logits.append(Float(token)) }
        return logits
    }

    private func likeliest(
        _ count: Int, of tokenCount: Int, _ logits: [Float], rows: Int, _ backend: some Backend
    ) throws -> [[Candidate]] {
        let columns = logits.count / rows
        let x = try backend.makeActivations(rows: rows, columns: columns)
        let likeliest = try LikeliestTokens(count, rows: rows, columns: columns, on: backend)
        backend.write(logits, to: x)
        backend.findLikeliest(x, rows: rows, of: tokenCount, hasMaxima: false, into: likeliest)
        try backend.finish(reading: [likeliest.keys], rows: rows)
        return likeliest.read(rows: rows, from: backend)
    }

    @Test("They are the processor's", arguments: [1, 63, 64, 65, 509, 513, 5000, 70_001])
    func parity(_ tokenCount: Int) throws {
        let device = try Device.shared.get(), processor = try CPUBackend(threads: 1)
        let logits = Self.logits(tokenCount + 2)
        for count in [1, 6, 64] {
            let found = try likeliest(count, of: tokenCount, logits, rows: 6, device)
            #expect(try found == likeliest(count, of: tokenCount, logits, rows: 6, processor))
        }
        #expect(device.validationMessages.first == nil)
    }

    @Test("Steps read back no more than they are asked for")
    func readBack() throws {
        // A device of its own: other tests read, too.
        let device = try VulkanBackend()
        let model = try TransformerModel(Fixture.file("tiny-llama-q4_0"), backend: device)
        let context = try model.makeContext(capacity: 16, cacheType: .f16)
        try context.evaluate([5, 6, 7], outputs: [])
        #expect(device.readBackByteCount == 0)
        try context.evaluate([8, 9], outputs: [0, 1], use: LogitsUse(wholeRows: false, likeliest: 6))
        #expect(device.readBackByteCount == 2 * 6 * 8)
        let found = context.likeliest
        let best = context.withLogits { row in Array(row[..<model.configuration.vocabularySize]) }
        #expect(found.first?.first?.logit == best.max() && found.allSatisfy { $0.count == 6 })
        #expect(device.readBackByteCount == 2 * 6 * 8 + 2 * 4 * model.configuration.vocabularySize)
    }
}
