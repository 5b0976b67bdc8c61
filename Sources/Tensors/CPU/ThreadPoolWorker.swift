// The life of one worker thread.

/// What a worker thread is started with.
final class ThreadPoolWorker {
    private let region: ThreadPoolRegion
    private let index: Int

    init(region: ThreadPoolRegion, index: Int) {
        self.region = region
        self.index = index
    }

    /// The thread's entry point; takes over the reference in `context`.
    static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let worker = Unmanaged<ThreadPoolWorker>.fromOpaque(context).takeRetainedValue()
        worker.region.work(as: worker.index)
        return nil
    }
}
