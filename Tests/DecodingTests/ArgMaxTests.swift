// The most likely token, at every place and among every kind of value.

import InferDecoding
import Testing

@Suite struct ArgMaxTests {
    private func argMax(_ values: [Float]) -> Int? { values.withUnsafeBufferPointer { $0.argMax } }

    @Test(arguments: [1, 2, 15, 16, 17, 4095, 4096, 4097, 9000])
    func findsTheMaximumAtEveryPlace(count: Int) {
        for place in Set([0, 1, 14, 15, 16, 17, 4095, 4096, 4097, count / 2, count - 1]) where place < count {
            var values = (0..<count).map { -Float($0 % 7) - 1 }
            values[place] = -0.5
            #expect(argMax(values) == place)
        }
    }

    @Test func lowestOfEqualValuesWins() {
        var values = [Float](repeating: 0, count: 9000)
        #expect(argMax(values) == 0)
        values[8999] = 2
        values[4100] = 2
        values[4099] = 2
        #expect(argMax(values) == 4099)
        #expect(argMax([-1, -0.0, 0.0]) == 1)
    }

    @Test func notANumberIsNeverChosen() {
        #expect(argMax([.nan, -3, .nan, -2, .nan]) == 3)
        var values = [Float](repeating: .nan, count: 5000)
        #expect(argMax(values) == nil)
        values[4500] = -.greatestFiniteMagnitude
        #expect(argMax(values) == 4500)
    }

    @Test func infinities() {
        #expect(argMax([]) == nil)
        #expect(argMax([-.infinity, -.infinity]) == nil)
        #expect(argMax([-.infinity, -1, .infinity, .infinity]) == 2)
    }
}
