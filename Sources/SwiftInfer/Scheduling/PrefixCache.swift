// Parked prefixes: what was computed for ended sequences, for later prompts that begin with the same tokens.

import InferDecoding
import InferTokenizers
import InferTransformer

/// Snapshots of ended sequences under a byte limit. The least recently used ones are dropped first.
///
/// Each owner sees only its own snapshots: the time that a prompt takes must not tell one owner what another one wrote.
struct PrefixCache {
    private struct Entry {
        let owner: String
        let tokens: [TokenID]
        let snapshot: SequenceSnapshot
        var lastUse: Int
    }

    /// A snapshot, and the number of its tokens that a prompt begins with and a sequence can go on from.
    struct Match {
        let snapshot: SequenceSnapshot
        let count: Int
        fileprivate let index: Int
    }

    /// The maximum of ``byteCount``.
    let byteLimit: Int
    /// The memory of all snapshots.
    private(set) var byteCount = 0
    private var entries: [Entry] = []
    private var clock = 0

    /// The number of snapshots.
    var count: Int { entries.count }

    /// An empty cache.
    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Adds the snapshot of `tokens`, unless it alone exceeds the limit. A snapshot of a prefix of these tokens is dropped.
    mutating func insert(_ snapshot: SequenceSnapshot, of tokens: [TokenID], owner: String) {
        let tokens = Array(tokens.prefix(snapshot.count))
        guard snapshot.byteCount <= byteLimit, !tokens.isEmpty else { return }
        for index in entries.indices.reversed()
        where entries[index].owner == owner && tokens.starts(with: entries[index].tokens) { remove(index) }
        while byteCount + snapshot.byteCount > byteLimit,
            let oldest = entries.indices.min(by: { entries[$0].lastUse < entries[$1].lastUse })
        { remove(oldest) }
        clock += 1
        byteCount += snapshot.byteCount
        entries.append(Entry(owner: owner, tokens: tokens, snapshot: snapshot, lastUse: clock))
    }

    /// The snapshot of `owner` that has the most in common with the beginning of `prompt`; nil if none has anything.
    ///
    /// The last token of the prompt never counts, because its logits are needed.
    func longestMatch(_ prompt: [TokenID], owner: String) -> Match? {
        let matches = entries.enumerated().lazy.filter { $0.element.owner == owner }.map { index, entry in
            let common = zip(entry.tokens, prompt.dropLast()).prefix { $0 == $1 }.count
            return Match(snapshot: entry.snapshot, count: entry.snapshot.reusablePrefix(of: common), index: index)
        }
        return matches.filter { $0.count > 0 }.max { $0.count < $1.count }
    }

    /// Notes that a match is used.
    mutating func touch(_ match: Match) {
        clock += 1
        entries[match.index].lastUse = clock
    }

    private mutating func remove(_ index: Int) {
        byteCount -= entries[index].snapshot.byteCount
        entries.remove(at: index)
    }
}
