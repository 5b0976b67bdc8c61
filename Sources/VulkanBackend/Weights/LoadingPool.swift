// The processor's part in loading: taking weights apart, on all cores.

import GGUF
import Synchronization
import Tensors

/// The threads that pack planes, started when the first weights are loaded.
final class LoadingPool: Sendable {
    private let threads = Mutex<ThreadPool?>(nil)

    /// Packers of a tensor's rows.
    func packers(of tensor: TensorInfo) throws(InferenceError) -> PlanePackers {
        let pool = try pool()
        guard let packer = PlanePacker(tensor.type, columns: tensor.columns) else {
            throw VulkanBackend.unsupported(tensor)
        }
        return PlanePackers(packer, on: pool)
    }

    private func pool() throws(InferenceError) -> ThreadPool {
        try threads.withLock { threads throws(InferenceError) in
            if let threads { return threads }
            let fresh = try ThreadPool(threads: ProcessorCount.usable)
            threads = fresh
            return fresh
        }
    }
}

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
