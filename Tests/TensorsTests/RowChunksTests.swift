// How products are cut into chunks.

import InferTensors
import Testing

struct RowChunksTests {
    @Test(arguments: [1, 2, 3, 8], [1, 8, 16, 32])
    func chunksCoverThePanelsInOrder(_ threads: Int, _ panelRows: Int) {
        for panels in [0, 1, 2, 3, 7, 18, 30, 96, 1536] {
            let chunks = RowChunks(panels: panels, panelRows: panelRows, threads: threads)
            let ranges = (0..<chunks.count).map { chunks.panels(of: $0) }
            #expect(ranges.flatMap { Array($0) } == Array(0..<panels))
            #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= max(64 / panelRows, 1) })
            // No thread is left with more than a panel when the others find nothing.
            #expect(ranges.suffix(min(panels, 2 * threads)).allSatisfy { $0.count == 1 })
        }
    }
}
