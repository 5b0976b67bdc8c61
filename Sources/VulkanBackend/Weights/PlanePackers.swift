// Taking a tensor's rows apart on several threads.

import InferTensors

/// A packer for each thread of a pool.
final class PlanePackers {
    /// Rows that a thread takes at once.
    private static let rows = 16

    private let pool: ThreadPool
    private let packers: UnsafeMutableBufferPointer<PlanePacker>

    init(_ packer: PlanePacker, on pool: ThreadPool) {
        self.pool = pool
        packers = .allocate(capacity: pool.threads)
        packers.initialize(repeating: packer)
    }

    /// Calls `body` with a packer and each number below `count`, on all threads.
    func forEach(_ count: Int, _ body: (inout PlanePacker, Int) -> Void) {
        pool.run((count + Self.rows - 1) / Self.rows) { chunk, thread in
            for row in chunk * Self.rows..<min((chunk + 1) * Self.rows, count) { body(&packers[thread], row) }
        }
    }

    deinit {
        packers.deinitialize()
        packers.deallocate()
    }
}
