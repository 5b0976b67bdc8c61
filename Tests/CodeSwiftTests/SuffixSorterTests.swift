// Suffix arrays, compared with comparison sorting of the suffixes.

import InferCodeSwift
import InferSupport
import TestSupport
import Testing

struct SuffixSorterTests {
    private func sorted<Symbol: FixedWidthInteger & UnsignedInteger>(
        _ text: [Int32], alphabet: Int, as type: Symbol.Type
    ) throws -> [UInt32] {
        var suffixes = [UInt32](repeating: 77, count: text.count)
        try text.map { Symbol($0) }.withUnsafeBufferPointer { text in
            try suffixes.withUnsafeMutableBufferPointer { try SuffixSorter.sort(text, alphabet: alphabet, into: $0) }
        }
        return suffixes
    }

    private func naive(_ text: [Int32]) -> [UInt32] {
        text.indices.sorted { text[$0...].lexicographicallyPrecedes(text[$1...]) }.map { UInt32($0) }
    }

    @Test func randomTextsOverSmallAlphabets() throws {
        var generator = SeededGenerator(1)
        for trial in 0..<6000 {
            let alphabet = Int.random(in: 1...5, using: &generator)
            let text = RandomText.make(trial, limit: 60, alphabet: alphabet, &generator)
            let expected = naive(text)
            #expect(try sorted(text, alphabet: alphabet, as: UInt16.self) == expected, "\(text)")
            #expect(try sorted(text, alphabet: alphabet, as: UInt32.self) == expected, "\(text)")
        }
    }

    @Test func largerTexts() throws {
        var generator = SeededGenerator(2)
        for trial in 0..<60 {
            let text = RandomText.make(trial, limit: 3000, alphabet: 300, &generator)
            #expect(try sorted(text, alphabet: 300, as: UInt16.self) == naive(text))
        }
    }

    @Test(arguments: [1, 2, 3, 50, 4181, 20_000]) func fibonacciWords(count: Int) throws {
        let text = RandomText.fibonacci(count)
        #expect(try sorted(text, alphabet: 2, as: UInt16.self) == naive(text))
    }

    /// An algorithm without linear time would take hours.
    @Test func oneSymbolAMillionTimes() throws {
        let count = 1_000_000
        let suffixes = try sorted(Array(repeating: 3, count: count), alphabet: 4, as: UInt32.self)
        #expect(suffixes.elementsEqual((0..<UInt32(count)).reversed()))
    }

    @Test func largeAlphabet() throws {
        let text: [Int32] = [1 << 20, 3, (1 << 20) - 1, 3, 1 << 20, 0]
        #expect(try sorted(text, alphabet: 1 << 20 | 1, as: UInt32.self) == naive(text))
    }

    @Test func symbolsOutsideTheAlphabetAreRefused() {
        #expect(throws: InferenceError.self) { try sorted([0, 1, 5], alphabet: 5, as: UInt16.self) }
        #expect(throws: InferenceError.self) { try sorted([0], alphabet: 0, as: UInt16.self) }
    }
}
