// Trees of rows.

import InferTensors
import Testing

@Suite("SegmentLayout")
struct SegmentLayoutTests {
    @Test func chain() {
        let layout = SegmentLayout(chain: 3, after: 5)
        #expect(layout.isChain && layout.count == 3)
        #expect((0..<3).map(layout.position) == [5, 6, 7])
        #expect(layout.path(to: 2) == [0, 1, 2])
    }

    @Test func chainAsTree() {
        #expect(SegmentLayout(parents: [-1, 0, 1], after: 2).isChain)
    }

    @Test func tree() {
        let layout = SegmentLayout(parents: [-1, -1, 0, 2, 1], after: 10)
        #expect(!layout.isChain)
        #expect((0..<5).map(layout.position) == [10, 10, 11, 12, 11])
        #expect((0..<5).map(layout.path) == [[0], [1], [0, 2], [0, 2, 3], [1, 4]])
    }
}
