// CodeSwift in sessions: where it drafts from, the repositories that sessions share, and datastores for a model.

public import InferCodeSwift
import InferDecoding
import InferSupport
import InferTokenizers
import Synchronization

/// Code that ``DrafterChoice/codeSwift(_:warn:)`` drafts from, and what it keeps. The text itself and the session's earlier answers
/// always take part.
public struct CodeSwiftOptions: Sendable, Hashable {
    /// Which working tree takes part.
    public enum Repository: Sendable, Hashable {
        /// The one around the working directory: the nearest folder, from there upwards, with a `.git` in it. Where there is
        /// none, or it cannot be read, none takes part.
        case aroundWorkingDirectory
        /// The folder at a path, whether git knows it or not.
        case folder(String)
        /// None.
        case off
    }

    /// Where the drafter keeps what it learned: answers, the model's top tokens, and how often drafts were accepted. There is one file
    /// for each working tree and tokenizer, of a few megabytes at most, which only the user can read.
    public enum Cache: Sendable, Hashable {
        /// In `swiftinfer/drafts` in the user's cache folder: `XDG_CACHE_HOME`, or `~/.cache`.
        case userFolder
        /// In the folder at a path.
        case folder(String)
        /// Nowhere: nothing is read or written.
        case off
    }

    /// The working tree. Its files are read, as far as git would track them, and nothing is written. Indexing takes place in the
    /// background: no token waits for it, and changes are found between generations.
    public var repository: Repository
    /// Paths of datastores, as `swiftinfer datastore build` makes them, for the model's tokenizer.
    public var datastores: [String]
    /// What is remembered. Reading and writing take place in the background, but for what is left to write when a session goes.
    public var cache: Cache

    /// That repository, those datastores, that cache.
    public init(
        repository: Repository = .aroundWorkingDirectory, datastores: [String] = [], cache: Cache = .userFolder
    ) {
        self.repository = repository
        self.datastores = datastores
        self.cache = cache
    }
}

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
            let identity = model.tokenizerIdentity
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

/// CodeSwift over datastores, a repository that is indexed, and indexed again, while the drafter is in use, and a cache of what was
/// learned in that repository.
final class RepositoryDrafter: Drafter {
    private let drafter: CodeSwiftDrafter
    private let repository: RepositoryFollower?
    private let stores: [Datastore]
    private let cache: DraftCache?
    /// What the running generation began with.
    private var prompt: [TokenID] = []
    /// The repository's generation that is being served.
    private var generation = 0
    /// Number of the datastores that are being served: those that are in memory.
    private var servedStores = 0
    /// Whether anything was learned since it was saved.
    private var hasLearned = false
    private var lastSave = ContinuousClock.now

    /// What was learned is saved at most so often, and at the end.
    private static let savePause = Duration.seconds(10)

    init(_ repository: RepositoryFollower?, stores: [Datastore], cache: DraftCache?) {
        self.repository = repository
        self.stores = stores
        self.cache = cache
        drafter = CodeSwiftDrafter()
        cache?.load()
    }

    deinit {
        guard let cache, hasLearned else { return }
        drafter.endOutput()
        // What was remembered and never came to be of use is not to be lost.
        cache.finish()
        drafter.adopt(cache)
        cache.save(drafter.memory)
        cache.finish()
    }

    var name: String { drafter.name }
    var topTokensWanted: Int { drafter.topTokensWanted }

    func reset(to tokens: [TokenID]) {
        prompt = tokens
        drafter.reset(to: tokens)
        if let cache { keep(cache) }
        repository?.refresh()
        serve()
    }

    func draft(into tree: inout DraftTree, limit: Int) {
        if let cache { drafter.adopt(cache) }
        if repository.map({ $0.generation != generation }) ?? false || servedStores < stores.count(where: \.isReady) {
            serve()
        }
        drafter.draft(into: &tree, limit: limit)
    }

    func observe(_ outcome: DraftOutcome) {
        hasLearned = true
        drafter.observe(outcome)
    }

    private func serve() {
        generation = repository?.generation ?? 0
        var segments: [(segment: StoreSegment, kind: SourceKind)] = []
        for var segment in repository?.segments ?? [] {
            segment.excludeStretches(of: prompt)
            segments.append((segment: segment, kind: .repository))
        }
        let ready = stores.filter(\.isReady)
        servedStores = ready.count
        drafter.replaceStores(segments + ready.map { (segment: StoreSegment($0.index), kind: .common) })
    }

    private func keep(_ cache: DraftCache) {
        let now = ContinuousClock.now
        // A memory that is being read still must not be replaced by a newer, smaller one.
        guard hasLearned, now - lastSave >= Self.savePause, cache.isRead else { return }
        drafter.adopt(cache)
        cache.save(drafter.memory)
        lastSave = now
        hasLearned = false
    }
}

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

extension Model {
    /// Identifies the model's tokenizer: a datastore can be used with this model only if its ``Datastore/tokenizer`` has the same
    /// fingerprint and vocabulary size. ``Datastore/requireTokenizer(_:)`` checks that.
    public var tokenizerIdentity: TokenizerIdentity {
        TokenizerIdentity(tokenizer, name: summary.name ?? summary.architecture)
    }
}

extension DatastoreBuilder {
    /// A builder without documents, for a datastore that `model` and all models with the same tokenizer can draft from.
    ///
    /// - Parameters:
    ///   - model: The model. Only its tokenizer is used.
    ///   - options: Which files are taken.
    ///   - threads: Number of threads that read and tokenize files; nil for one per processor.
    public init(for model: Model, options: IngestionOptions = .init(), threads: Int? = nil) {
        self.init(
            tokenizer: model.tokenizer, name: model.tokenizerIdentity.name, options: options, threads: threads)
    }
}
