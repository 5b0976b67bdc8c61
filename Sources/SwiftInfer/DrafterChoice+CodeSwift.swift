// CodeSwift as a choice.

import InferCodeSwift
import InferDecoding
import InferSupport
import InferTokenizers

extension DrafterChoice {
    /// Drafts from the text, earlier answers, the model's own preferences, a repository and datastores: ``CodeSwiftOptions``. The
    /// default of a session.
    ///
    /// A session that is made to use it, or ``Session/use(_:)``, throws ``InferenceError`` with `unreadableFile` or
    /// `malformedDatastore` when a folder or datastore that was named cannot be used, and with `incompatibleDatastore` when a
    /// datastore was built for another tokenizer.
    ///
    /// - Parameters:
    ///   - options: Where to look, and what to keep.
    ///   - warn: Called, on any thread, when the draft cache cannot be read or written. That costs speed only.
    public static func codeSwift(
        _ options: CodeSwiftOptions = .init(), warn: @escaping @Sendable (String) -> Void = { _ in }
    ) -> DrafterChoice {
        DrafterChoice("codeswift") { model throws(InferenceError) -> (any Drafter)? in
            let identity = TokenizerIdentity(model.tokenizer, name: model.summary.name ?? model.summary.architecture)
            let stores = try Datastore.open(options.datastores, for: identity)
            let folder: String? =
                switch options.cache {
                case .off: nil
                case .folder(let path): path
                case .userFolder: userFolder(warn)
                }
            let (follower, path) = try options.repository.follower(for: model)
            let cache = folder.map {
                DraftCache(folder: $0, repository: path ?? "", tokenizer: identity, warn: warn)
            }
            return RepositoryDrafter(follower, stores: stores, cache: cache)
        }
    }
}

/// The user's folder for what drafters learned; nil, which `warn` is told, where there is none.
private func userFolder(_ warn: (String) -> Void) -> String? {
    do throws(InferenceError) {
        return try DraftCache.standardFolder
    } catch {
        warn("what the drafter learns is not kept: \(error.message)")
        return nil
    }
}

extension CodeSwiftOptions.Repository {
    /// What keeps up with the working tree, and the path of that; nil for none.
    fileprivate func follower(for model: Model) throws(InferenceError) -> (RepositoryFollower?, path: String?) {
        switch self {
        case .off: return (nil, nil)
        case .folder(let path): return (try model.repositories.follower(of: path, model.tokenizer), path)
        case .aroundWorkingDirectory:
            // Nobody asked for it, so that nobody is to be bothered with what is wrong with it.
            guard let path = RepositoryStore.top(around: "."),
                let follower = try? model.repositories.follower(of: path, model.tokenizer)
            else { return (nil, nil) }
            return (follower, path)
        }
    }
}
