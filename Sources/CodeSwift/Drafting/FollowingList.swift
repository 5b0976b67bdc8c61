// What follows the matches of one source at one place.

import InferTokenizers

/// Tokens that follow matches, level by level: a level is the number of a match among those of its source and place.
struct FollowingList: ~Copyable {
    /// A token, and how many of a match's occurrences it follows.
    struct Following {
        var token: TokenID
        var count: Int32
        var level: Int32
        /// Where it was seen last, for those that count as many as others.
        var end: Int32
    }

    private var followings = FlatList<Following>(capacity: 64)
    private var level: Int32 = 0
    private var levelStart = 0

    var count: Int { followings.count }

    subscript(index: Int) -> Following { followings[index] }

    mutating func removeAll() {
        followings.truncate()
        levelStart = 0
    }

    /// Begins with the match of number `level`.
    mutating func begin(level: Int) {
        self.level = Int32(truncatingIfNeeded: level)
        levelStart = followings.count
    }

    /// Adds what follows less often than all before it.
    mutating func append(_ token: TokenID, count: Int) {
        followings.append(
            Following(token: token, count: Int32(truncatingIfNeeded: min(count, 1 << 30)), level: level, end: 0))
    }

    /// Puts a token in its place among those of the match: the more frequent first, of equally frequent ones the one seen
    /// last; beyond `limit` the last is dropped.
    mutating func insert(_ token: TokenID, count: Int, end: Int, limit: Int) {
        let new = Following(
            token: token, count: Int32(truncatingIfNeeded: count), level: level, end: Int32(truncatingIfNeeded: end))
        var index = followings.count
        if index - levelStart == limit {
            guard index > levelStart, Self.precedes(new, followings[index - 1]) else { return }
            index -= 1
        } else {
            followings.append(new)
        }
        while index > levelStart, Self.precedes(new, followings[index - 1]) {
            followings[index] = followings[index - 1]
            index -= 1
        }
        followings[index] = new
    }

    private static func precedes(_ a: Following, _ b: Following) -> Bool {
        a.count > b.count || (a.count == b.count && a.end > b.end)
    }
}
