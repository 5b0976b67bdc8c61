// Where the model's steps run: a thread of their own, so that they never block Swift's cooperative pool.

import Dispatch

/// Runs the jobs of a model's sessions one after the other on a private queue.
final class InferenceExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "swiftinfer.inference", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
