// A CodeSwift drafter that keeps up with a repository.

import CodeSwift
import Decoding
import Tokenizers

/// CodeSwift over datastores and a repository that is indexed, and indexed again, while the drafter is in use.
final class RepositoryDrafter: Drafter {
    private let drafter: CodeSwiftDrafter
    private let repository: RepositoryFollower?
    private let stores: [Datastore]
    /// What the running generation began with.
    private var prompt: [TokenID] = []
    /// The repository's generation that is being served.
    private var generation = 0

    init(_ repository: RepositoryFollower?, stores: [Datastore]) {
        self.repository = repository
        self.stores = stores
        drafter = CodeSwiftDrafter(stores.map { (segment: StoreSegment($0.index), kind: .common) })
    }

    var name: String { drafter.name }
    var candidatesWanted: Int { drafter.candidatesWanted }

    func reset(to tokens: [TokenID]) {
        prompt = tokens
        drafter.reset(to: tokens)
        guard let repository else { return }
        repository.refresh()
        serve(repository)
    }

    func draft(into tree: inout DraftTree, limit: Int) {
        if let repository, repository.generation != generation { serve(repository) }
        drafter.draft(into: &tree, limit: limit)
    }

    func observe(_ verification: Verification) { drafter.observe(verification) }

    private func serve(_ repository: RepositoryFollower) {
        generation = repository.generation
        let segments: [(segment: StoreSegment, kind: SourceKind)] = repository.segments.map { segment in
            var segment = segment
            segment.excludeStretches(of: prompt)
            return (segment: segment, kind: .repository)
        }
        drafter.replaceStores(segments + stores.map { (segment: StoreSegment($0.index), kind: .common) })
    }
}
