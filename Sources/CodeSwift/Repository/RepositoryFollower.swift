// A repository store that is updated in the background.

package import InferSupport
package import InferTokenizers
import Synchronization

/// A ``RepositoryStore`` that a thread of its own brings up to date, so that nobody ever waits for it.
package final class RepositoryFollower: Sendable {
    private struct State {
        var isRefreshing = false
        /// When looking for changes may begin again.
        var next: ContinuousClock.Instant?
    }

    private let store: RepositoryStore
    private let state = Mutex(State())
    private let published = Atomic(0)

    /// Looking for changes may take this share of the time, and happens at most so often.
    private static let pause = (factor: 10, least: Duration.seconds(1))

    /// A follower of the folder at `path`, which has indexed nothing yet.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when there is no such folder.
    package init(path: String, tokenizer: Tokenizer) throws(InferenceError) {
        store = try RepositoryStore(path: path, tokenizer: tokenizer, threads: 1)
    }

    /// Grows when what ``segments`` gives has changed; costs nothing to read.
    package var generation: Int { published.load(ordering: .acquiring) }

    /// What is searched now.
    package var segments: [StoreSegment] { store.segments }

    /// Looks for changes in the background, unless that is under way or was done just now.
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
        // What cannot be indexed costs speed and nothing else: the store stays what it was.
        _ = try? store.refresh()
        published.store(store.generation, ordering: .releasing)
        let end = ContinuousClock.now
        state.withLock { state in
            state.isRefreshing = false
            state.next = end + max(Self.pause.least, (end - start) * Self.pause.factor)
        }
    }
}
