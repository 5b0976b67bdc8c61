// A repository store that is updated in the background.

package import InferSupport
package import InferTokenizers
import Synchronization

/// Updates a ``RepositoryStore`` on a background thread, so that no caller waits.
package final class RepositoryFollower: Sendable {
    private struct State {
        var isRefreshing = false
        /// The earliest time of the next search for changes.
        var next: ContinuousClock.Instant?
    }

    private let store: RepositoryStore
    private let state = Mutex(State())
    private let published = Atomic(0)

    /// The pause after a search is at least `factor` times its duration, and at least `least`.
    private static let pause = (factor: 10, least: Duration.seconds(1))

    /// A follower of the folder at `path`; nothing is indexed yet.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when there is no such folder.
    package init(path: String, tokenizer: Tokenizer) throws(InferenceError) {
        store = try RepositoryStore(path: path, tokenizer: tokenizer, threads: 1)
    }

    /// Increases when ``segments`` has changed. Cheap to read.
    package var generation: Int { published.load(ordering: .acquiring) }

    /// The segments to search now.
    package var segments: [StoreSegment] { store.segments }

    /// Looks for changes in the background, unless a search is running or has just ended.
    package func refresh() {
        let begins = state.withLock { state in
            if state.isRefreshing || state.next.map({ $0 > .now }) ?? false { return false }
            state.isRefreshing = true
            return true
        }
        guard begins, !WorkerThreads.detach({ [self] in run() }) else { return }
        state.withLock { $0.isRefreshing = false }
    }

    private func run() {
        let start = ContinuousClock.now
        // If indexing fails, the store stays as it was: this can cost speed, nothing else.
        _ = try? store.refresh()
        published.store(store.generation, ordering: .releasing)
        let end = ContinuousClock.now
        state.withLock { state in
            state.isRefreshing = false
            state.next = end + max(Self.pause.least, (end - start) * Self.pause.factor)
        }
    }
}
