// Finding special tokens in a text before it is split into words.

/// Finds the occurrences of a set of tokens in a text: longer tokens first, tokens of the same length from left to right.
///
/// This is the order of llama.cpp: a longer token wins over a shorter one that begins earlier. A trie finds the longest token
/// at each position. Each position has one candidate at a time, so memory stays proportional to the text.
struct SpecialTokenMatcher: Sendable {
    /// A node of the trie; its children are a linked list.
    private struct Node: Sendable {
        var byte: UInt8
        var token: TokenID?
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
    }

    /// A token found in text.
    struct Match {
        var token: TokenID
        /// Its bytes in the text, with the white space that it absorbs.
        var range: Range<Int>
    }

    private var nodes = [Node(byte: 0)]
    private var roots = [Int32](repeating: -1, count: 256)
    private var longest = 0
    private var rightStrippingTokens: Set<TokenID> = []
    private var leftStrippingTokens: Set<TokenID> = []
    /// Tokens that never match in plain text.
    private var markTokens: Set<TokenID> = []

    /// A matcher for the tokens whose attributes satisfy `wanted`.
    init(_ table: StringTable, _ attributes: [TokenAttributes], where wanted: (TokenAttributes) -> Bool) {
        for id in 0..<table.count where wanted(attributes[id]) {
            insert(table.bytes[table.range(of: id)], TokenID(id))
            if attributes[id].contains(.stripsRight) { rightStrippingTokens.insert(TokenID(id)) }
            if attributes[id].contains(.stripsLeft) { leftStrippingTokens.insert(TokenID(id)) }
            if !attributes[id].isText { markTokens.insert(TokenID(id)) }
        }
    }

    private mutating func insert(_ text: ArraySlice<UInt8>, _ token: TokenID) {
        longest = max(longest, text.count)
        var node: Int32 = 0
        for (depth, byte) in text.enumerated() {
            var child = depth == 0 ? roots[Int(byte)] : self.child(of: node, byte)
            if child < 0 {
                child = Int32(nodes.count)
                nodes.append(Node(byte: byte))
                if depth == 0 {
                    roots[Int(byte)] = child
                } else {
                    nodes[Int(child)].nextSibling = nodes[Int(node)].firstChild
                    nodes[Int(node)].firstChild = child
                }
            }
            node = child
        }
        nodes[Int(node)].token = token
    }

    private func child(of node: Int32, _ byte: UInt8) -> Int32 {
        var child = nodes[Int(node)].firstChild
        while child >= 0, nodes[Int(child)].byte != byte { child = nodes[Int(child)].nextSibling }
        return child
    }

    /// The longest token at `start` with at most `limit` bytes; a mark has at most `markLimit` bytes.
    private func longestToken(
        _ text: [UInt8], at start: Int, limit: Int, markLimit: Int
    ) -> (token: TokenID, length: Int)? {
        var node = roots[Int(text[start])]
        var found: (TokenID, Int)?
        var length = 1
        while node >= 0, length <= limit {
            if let token = nodes[Int(node)].token, length <= markLimit || !markTokens.contains(token) {
                found = (token, length)
            }
            guard start + length < text.count else { break }
            node = child(of: node, text[start + length])
            length += 1
        }
        return found
    }

    /// The matches in `text`, in order and without overlaps. Marks have no byte in `plainRanges`, which are in ascending order.
    func matches(in text: [UInt8], plainRanges: [Range<Int>] = []) -> [Match] {
        var candidates: [[(start: Int, markLimit: Int)]] = Array(repeating: [], count: longest + 1)
        var hasCandidate = false
        var nextPlain = plainRanges.startIndex
        for start in text.indices where roots[Int(text[start])] >= 0 {
            while nextPlain < plainRanges.endIndex, plainRanges[nextPlain].upperBound <= start { nextPlain += 1 }
            let plainStart = nextPlain < plainRanges.endIndex ? plainRanges[nextPlain].lowerBound : text.count
            let markLimit = plainStart - start
            guard let (_, length) = longestToken(text, at: start, limit: longest, markLimit: markLimit) else {
                continue
            }
            candidates[length].append((start, markLimit))
            hasCandidate = true
        }
        guard hasCandidate else { return [] }
        var isTaken = [Bool](repeating: false, count: text.count)
        var matches: [Match] = []
        for length in stride(from: longest, to: 0, by: -1) {
            // A candidate that overlaps a longer token is shortened and comes back here for its new length.
            for (start, markLimit) in candidates[length].sorted(by: { $0.start < $1.start }) {
                guard !isTaken[start] else { continue }
                let free = isTaken[start..<start + length].firstIndex(of: true) ?? start + length
                guard
                    let (token, fitting) = longestToken(text, at: start, limit: free - start, markLimit: markLimit)
                else { continue }
                guard fitting == length else {
                    candidates[fitting].append((start, markLimit))
                    continue
                }
                var end = start + length
                if rightStrippingTokens.contains(token) {
                    while end < text.count, !isTaken[end], Self.isSpace(text[end]) { end += 1 }
                }
                var begin = start
                if leftStrippingTokens.contains(token) {
                    while begin > 0, !isTaken[begin - 1], Self.isSpace(text[begin - 1]) { begin -= 1 }
                }
                for index in begin..<end { isTaken[index] = true }
                matches.append(Match(token: token, range: begin..<end))
            }
            candidates[length] = []
        }
        return matches.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
