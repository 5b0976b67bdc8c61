// CodeSwift as a choice.

import CodeSwift
import Decoding
import GGUF
import Tokenizers

extension DrafterChoice {
    /// Guesses from the text, earlier answers, the model's own preferences, a repository and datastores: ``CodeSwiftOptions``.
    ///
    /// A session that is made to use it, or ``Session/use(_:)``, throws ``InferenceError`` with `unreadableFile` or
    /// `malformedDatastore` when a folder or datastore that was named cannot be used, and with `incompatibleDatastore` when a
    /// datastore was built for another tokenizer.
    public static func codeSwift(_ options: CodeSwiftOptions = .init()) -> DrafterChoice {
        DrafterChoice("codeswift") { model throws(InferenceError) -> (any Drafter)? in
            let identity = TokenizerIdentity(model.tokenizer, name: model.summary.name ?? model.summary.architecture)
            var stores: [Datastore] = []
            for path in options.datastores {
                let store = try Datastore(path: path)
                try store.requireTokenizer(identity)
                stores.append(store)
            }
            let path: String? =
                switch options.repository {
                case .off: nil
                case .folder(let path): path
                case .aroundWorkingDirectory: RepositoryStore.top(around: ".")
                }
            var follower: RepositoryFollower?
            if let path { follower = try model.repositories.follower(of: path, model.tokenizer) }
            return RepositoryDrafter(follower, stores: stores)
        }
    }
}
