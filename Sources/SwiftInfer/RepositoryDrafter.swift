// A CodeSwift drafter that keeps up with a repository, and keeps what it learned.

import InferCodeSwift
import InferDecoding
import InferTokenizers

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
