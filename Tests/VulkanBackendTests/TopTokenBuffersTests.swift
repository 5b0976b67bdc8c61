// The top tokens of rows of logits and the softmax's sums: the device agrees with the processor.

import Foundation
import InferDecoding
import InferTensors
import InferTransformer
import InferVulkan
import TestSupport
import Testing

@Suite("Top tokens on a Vulkan device", .enabled(if: Device.isThere, "\(Device.absence)"))
struct TopTokenBuffersTests {
    /// Six rows of logits: scattered; few different values; few that can be chosen; none; all equal; ascending.
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

    private func topTokens(
        _ count: Int, of tokenCount: Int, _ logits: [Float], rows: Int, _ backend: some Backend
    ) throws -> [[TopToken]] {
        let columns = logits.count / rows
        let x = try backend.makeActivations(rows: rows, columns: columns)
        let buffers = try TopTokenBuffers(count, rows: rows, columns: columns, on: backend)
        backend.write(logits, to: x)
        backend.findTopTokens(x, rows: rows, of: tokenCount, hasMaxima: false, into: buffers)
        try backend.finish(reading: [buffers.keys], rows: rows)
        return buffers.read(rows: rows, from: backend)
    }

    @Test("Top tokens are the processor's", arguments: [1, 63, 64, 65, 509, 513, 5000, 70_001])
    func parity(_ tokenCount: Int) throws {
        let device = try Device.shared.get(), processor = try CPUBackend(threads: 1)
        let logits = Self.logits(tokenCount + 2)
        for count in [1, 6, 64] {
            let found = try topTokens(count, of: tokenCount, logits, rows: 6, device)
            #expect(try found == topTokens(count, of: tokenCount, logits, rows: 6, processor))
        }
        #expect(device.validationMessages.first == nil)
    }

    @Test(
        "Sums of the softmax are within a quarter of the error that is allowed for",
        arguments: [1, 64, 65, 5000, 70_001, 300_000])
    func softmaxSums(_ tokenCount: Int) throws {
        let device = try Device.shared.get()
        // Replaces the row with infinite logits.
        var logits = Self.logits(tokenCount)
        logits.replaceSubrange(tokenCount..<2 * tokenCount, with: (0..<tokenCount).map { Float($0 % 31) / 8 })
        let x = try device.makeActivations(rows: 6, columns: tokenCount)
        let buffers = try TopTokenBuffers(64, rows: 6, columns: tokenCount, on: device)
        device.write(logits, to: x)
        for scale in [Float(1), 0.125, 12.5] {
            device.findTopTokens(x, rows: 6, of: tokenCount, hasMaxima: false, into: buffers)
            device.sumSoftmax(x, rows: 6, of: tokenCount, scale: scale, into: buffers)
            try device.finish(reading: [buffers.keys, buffers.sums], rows: 6)
            let topTokens = buffers.read(rows: 6, from: device)
            let sums = buffers.readSums(rows: 6, tokenCount: tokenCount, from: device)
            for row in 0..<6 where !topTokens[row].isEmpty {
                var total = 0.0
                var before = [0.0]
                for logit in logits[row * tokenCount..<(row + 1) * tokenCount] {
                    if logit > -.infinity {
                        total += exp(Double(logit - topTokens[row][0].logit) * Double(scale))
                    }
                    before.append(total)
                }
                let slack = sums[row].error * total / 4
                #expect(abs(Double(sums[row].total) - total) < slack)
                for (top, sum) in zip(topTokens[row], sums[row].before) {
                    #expect(abs(Double(sum) - before[Int(top.token)]) < slack)
                }
            }
        }
        #expect(device.validationMessages.first == nil)
    }

    @Test("A draw from the top tokens and the sums equals that from the whole row", arguments: [Float(1), 0.95])
    func draws(topP: Float) throws {
        let model = try TransformerModel(Fixture.file("tiny-llama-q4_0"), backend: try Device.shared.get())
        let run = try SequenceRun(model, capacity: 70, cacheType: .f16)
        var options = SamplingOptions()
        options.temperature = 0.2
        options.topP = topP
        let sampler = Sampler(options)
        let request = LogitsRequest(wholeRows: false, topTokens: 64, softmaxScale: sampler.softmaxScale)
        var undecided = 0
        for position in 1...60 {
            try run.evaluate([Int32(position)], outputs: [0], request: request)
            let choice = sampler.choose(
                among: (run.output?.topTokens ?? [])[0], isComplete: false, sums: run.output?.softmaxSums.first,
                position: position,
                history: [])
            let whole = run.rows[0].withUnsafeBufferPointer { sampler.sample($0, position: position, history: []) }
            #expect(whole != nil)
            if choice == .undecided { undecided += 1 } else { #expect(choice == whole.map(Sampler.Choice.token)) }
        }
        #expect(undecided < 30)
    }

    @Test("Steps read back only what was requested")
    func readBack() throws {
        // Not the shared backend: other tests read, too.
        let device = try VulkanBackend()
        let model = try TransformerModel(Fixture.file("tiny-llama-q4_0"), backend: device)
        let run = try SequenceRun(model, capacity: 16, cacheType: .f16)
        try run.evaluate([5, 6, 7], outputs: [])
        #expect(device.readBackByteCount == 0)
        try run.evaluate([8, 9], outputs: [0, 1], request: LogitsRequest(wholeRows: false, topTokens: 6))
        #expect(device.readBackByteCount == 2 * 6 * 8)
        let found = run.output?.topTokens ?? []
        let best = run.rows[0]
        #expect(found.first?.first?.logit == best.max() && found.allSatisfy { $0.count == 6 })
        #expect(device.readBackByteCount == 2 * 6 * 8 + 2 * 4 * model.configuration.vocabularySize)
    }
}
