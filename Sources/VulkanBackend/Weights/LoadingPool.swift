// The processor's part in loading: taking weights apart, on all cores.

import InferGGUF
import InferSupport
import InferTensors
import Synchronization

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
