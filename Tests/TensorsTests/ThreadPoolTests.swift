// The thread pool, and the division of the rows of products into chunks.

import InferSupport
import InferTensors
import Synchronization
import Testing

/// A counter that threads and tasks share.
private final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }

    func add(_ number: Int = 1) { count.add(number, ordering: .relaxed) }
}

struct ThreadPoolTests {
    @Test(arguments: [1, 2, 3, 8])
    func everyChunkRunsOnce(_ threads: Int) throws {
        let pool = try ThreadPool(threads: threads)
        for chunks in [0, 1, 2, 3, 7, 64, 1000] {
            for _ in 0..<20 {
                let counts = (0..<chunks).map { _ in Counter() }
                let badThreads = Counter()
                pool.run(chunks) { chunk, thread in
                    counts[chunk].add()
                    if !(0..<threads).contains(thread) { badThreads.add() }
                }
                #expect(counts.allSatisfy { $0.value == 1 })
                #expect(badThreads.value == 0)
            }
        }
    }

    /// Simultaneous chunks have different thread numbers.
    @Test func threadNumbersAreExclusive() throws {
        let pool = try ThreadPool(threads: 4)
        let inUse = (0..<4).map { _ in Counter() }
        let clashes = Counter()
        for _ in 0..<300 {
            pool.run(16) { _, thread in
                inUse[thread].add()
                if inUse[thread].value != 1 { clashes.add() }
                inUse[thread].add(-1)
            }
        }
        #expect(clashes.value == 0)
    }

    @Test func regionsWithinRegions() throws {
        let pool = try ThreadPool(threads: 3)
        let total = Counter()
        pool.run(10) { _, _ in
            pool.run(5) { chunk, thread in
                total.add(chunk + thread * 1000)
            }
        }
        #expect(total.value == 10 * (0 + 1 + 2 + 3 + 4))
    }

    /// Several tasks run many short regions, with pauses in which workers go to sleep.
    @Test func callersMayCompete() async throws {
        let pool = try ThreadPool(threads: 3)
        let total = Counter()
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for round in 0..<200 {
                        pool.run(8) { _, _ in total.add() }
                        if round % 50 == 0 { try? await Task.sleep(for: .milliseconds(1)) }
                    }
                }
            }
        }
        #expect(total.value == 4 * 200 * 8)
    }

    @Test func poolsComeAndGo() throws {
        for threads in 1...6 {
            for _ in 0..<10 {
                let total = Counter()
                let pool = try ThreadPool(threads: threads)
                pool.run(threads) { _, _ in total.add() }
                #expect(total.value == threads)
            }
        }
    }

    @Test(arguments: [0, -1, 100_000])
    func badCountsAreRefused(_ threads: Int) {
        #expect(throws: InferenceError.self) { try ThreadPool(threads: threads) }
    }
}

struct RowChunksTests {
    @Test(arguments: [1, 2, 3, 8], [1, 8, 16, 32])
    func chunksCoverThePanelsInOrder(_ threads: Int, _ panelRows: Int) {
        for panels in [0, 1, 2, 3, 7, 18, 30, 96, 1536] {
            let chunks = RowChunks(panels: panels, panelRows: panelRows, threads: threads)
            let ranges = (0..<chunks.count).map { chunks.panels(of: $0) }
            #expect(ranges.flatMap { Array($0) } == Array(0..<panels))
            #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= max(64 / panelRows, 1) })
            // At the end, no thread has more than one panel when the others find no chunk.
            #expect(ranges.suffix(min(panels, 2 * threads)).allSatisfy { $0.count == 1 })
        }
    }
}
