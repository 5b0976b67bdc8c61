// The repositories that the sessions of a model share.

import InferCodeSwift
import InferSupport
import InferTokenizers
import Synchronization

/// Indexes of repositories in one model's tokens. They stay as long as the model, as sessions come and go.
final class RepositoryTable: Sendable {
    private let followers = Mutex<[String: RepositoryFollower]>([:])

    /// The index of the folder at `path`.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when there is no such folder.
    func follower(of path: String, _ tokenizer: Tokenizer) throws(InferenceError) -> RepositoryFollower {
        if let known = followers.withLock({ $0[path] }) { return known }
        let new = try RepositoryFollower(path: path, tokenizer: tokenizer)
        return followers.withLock { followers in
            // Another session may have been faster.
            let follower = followers[path] ?? new
            followers[path] = follower
            return follower
        }
    }
}
