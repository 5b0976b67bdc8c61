// CodeSwift in sessions: its options, the repositories that sessions share, and datastores for a model.

public import InferCodeSwift
import InferDecoding
import InferSupport
import InferTokenizers
import Synchronization

/// The code that ``DrafterChoice/codeSwift(_:warn:)`` drafts from, and what it keeps. It always drafts from the text itself and
/// from the session's earlier answers too.
public struct CodeSwiftOptions: Sendable, Hashable {
    /// The working tree to draft from.
    public enum Repository: Sendable, Hashable {
        /// The working tree around the working directory: the nearest folder, from there upwards, that contains `.git`. If there is
        /// none, or it cannot be read, no working tree is used.
        case aroundWorkingDirectory
        /// The folder at a path. It need not be a git repository.
        case folder(String)
        /// No working tree.
        case off
    }

    /// Where the drafter keeps what it learned: answers, the model's top tokens, and how often drafts were accepted. There is one
    /// file for each working tree and tokenizer, of a few megabytes at most, which only the user can read.
    public enum Cache: Sendable, Hashable {
        /// In `swiftinfer/drafts` in the user's cache folder: `XDG_CACHE_HOME`, or `~/.cache`.
        case userFolder
        /// In the folder at a path.
        case folder(String)
        /// No cache: nothing is read or written.
        case off
    }

    /// The working tree. Files that git ignores are not read, and nothing is written. Indexing happens in the background: no
    /// token waits for it, and changes are found between generations.
    public var repository: Repository
    /// Paths of datastores, as `swiftinfer datastore build` makes them, for the model's tokenizer.
    public var datastores: [String]
    /// The cache. It is read and written in the background, except for a last write when the session is released.
    public var cache: Cache

    /// Options with these values. By default nothing but the text and the session's earlier answers is used, no file is read, and
    /// nothing is kept.
    public init(repository: Repository = .off, datastores: [String] = [], cache: Cache = .off) {
        self.repository = repository
        self.datastores = datastores
        self.cache = cache
    }
}

extension DrafterChoice {
    /// Drafts from the text, earlier answers, the model's own preferences, a repository and datastores; see ``CodeSwiftOptions``.
    /// Without options, which is the default of a session, it reads and writes no file.
    ///
    /// ``Model/makeSession(_:)`` and ``Session/use(_:)`` throw ``InferenceError`` with `unreadableFile` or `malformedDatastore`
    /// if a given folder or datastore cannot be used, and with `incompatibleDatastore` if a datastore was built for another
    /// tokenizer.
    ///
    /// - Parameters:
    ///   - options: What to draft from, and what to keep.
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

extension DrafterChoice {
    /// Drafts from a repository, too, and keeps what it learned if that is asked for: ``codeSwift(_:warn:)`` with these options.
    ///
    /// - Parameters:
    ///   - repository: The working tree to draft from.
    ///   - memory: Where to keep what was learned.
    public static func codeSwift(
        repository: CodeSwiftOptions.Repository, memory: CodeSwiftOptions.Cache = .off
    ) -> DrafterChoice {
        codeSwift(CodeSwiftOptions(repository: repository, cache: memory))
    }
}

/// The user's folder for draft caches. If there is none, calls `warn` and returns nil.
private func userFolder(_ warn: (String) -> Void) -> String? {
    do throws(InferenceError) {
        return try DraftCache.standardFolder
    } catch {
        warn("what the drafter learns is not kept: \(error.message)")
        return nil
    }
}

extension CodeSwiftOptions.Repository {
    /// The follower of the working tree and its path; nil for none.
    fileprivate func follower(for model: Model) throws(InferenceError) -> (RepositoryFollower?, path: String?) {
        switch self {
        case .off: return (nil, nil)
        case .folder(let path): return (try model.repositories.follower(of: path, model.tokenizer), path)
        case .aroundWorkingDirectory:
            // The user did not ask for this folder, so an error in it is not reported.
            guard let path = RepositoryStore.top(around: "."),
                let follower = try? model.repositories.follower(of: path, model.tokenizer)
            else { return (nil, nil) }
            return (follower, path)
        }
    }
}

/// CodeSwift over datastores, over a repository whose index is updated while the drafter is in use, and over a cache of what was
/// learned in that repository.
final class RepositoryDrafter: Drafter {
    private let drafter: CodeSwiftDrafter
    private let repository: RepositoryFollower?
    private let stores: [Datastore]
    private let cache: DraftCache?
    /// The prompt of the running generation.
    private var prompt: [TokenID] = []
    /// The generation of the repository's index that is in use.
    private var generation = 0
    /// The number of datastores in use. A datastore is used once it is in memory.
    private var servedStores = 0
    /// Whether anything was learned since the last save.
    private var hasLearned = false
    private var lastSave = ContinuousClock.now

    /// The minimum time between two saves. There is one more at the end.
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
        // The loaded memory is adopted before it is overwritten, even if no draft has used it.
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
        // A cache that is still being read must not be replaced by a newer, smaller one.
        guard hasLearned, now - lastSave >= Self.savePause, cache.isRead else { return }
        drafter.adopt(cache)
        cache.save(drafter.memory)
        lastSave = now
        hasLearned = false
    }
}

/// Indexes of repositories in one model's tokens. They live as long as the model, and its sessions share them.
final class RepositoryTable: Sendable {
    private let followers = Mutex<[String: RepositoryFollower]>([:])

    /// The index of the folder at `path`.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when there is no such folder.
    func follower(of path: String, _ tokenizer: Tokenizer) throws(InferenceError) -> RepositoryFollower {
        if let known = followers.withLock({ $0[path] }) { return known }
        let new = try RepositoryFollower(path: path, tokenizer: tokenizer)
        return followers.withLock { followers in
            // Another session may have added one meanwhile.
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
