// The random generator against the published answers.

import InferDecoding
import Testing

@Suite struct PhiloxTests {
    /// From the known-answer file of the authors' Random123 library: philox4x32, 10 rounds.
    @Test(arguments: [
        (
            SIMD4<UInt32>(0, 0, 0, 0), SIMD2<UInt32>(0, 0),
            SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
        ),
        (
            SIMD4(repeating: UInt32.max), SIMD2(repeating: UInt32.max),
            SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
        ),
        (
            SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), SIMD2(0xA409_3822, 0x299F_31D0),
            SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
        ),
    ])
    func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, words: SIMD4<UInt32>) {
        #expect(Philox.words(counter: counter, key: key) == words)
    }

    @Test func drawsAreMultiplesOfTheSmallestStepBelowOne() {
        for position in 0..<1000 {
            let draw = Philox.uniform(seed: 7, position: position)
            #expect(draw >= 0 && draw < 1)
            #expect(draw * 0x1p53 == (draw * 0x1p53).rounded())
        }
    }

    @Test func seedAndPositionBothMatterInAllTheirBits() {
        var draws: Set<Double> = []
        for bit in 0..<64 { draws.insert(Philox.uniform(seed: 1 << bit, position: 0)) }
        for bit in 0..<63 { draws.insert(Philox.uniform(seed: 0, position: 1 << bit)) }
        #expect(draws.count == 64 + 63)
    }

    @Test func drawsOverPositionsAreUniform() {
        var counts = [Int](repeating: 0, count: 20)
        let draws = 40_000
        for position in 0..<draws { counts[Int(Philox.uniform(seed: 3, position: position) * 20)] += 1 }
        let expected = Double(draws) / 20
        let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // The 99.9 % quantile for 19 degrees of freedom. The draws are fixed, so the outcome is, too.
        #expect(chiSquare < 43.8)
    }
}
