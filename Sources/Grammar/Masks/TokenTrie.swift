// The tokens of a vocabulary as a tree of their bytes.

/// The tokens of a vocabulary by their bytes, as a trie. Tokens that begin alike share nodes, so a grammar looks at a beginning once for
/// all of them.
///
/// Made once per vocabulary; shared by all grammars.
package final class TokenTrie: Sendable {
    /// Longer tokens are never allowed.
    private static let maximumTokenLength = 512

    /// A node stands for the bytes on the path to it.
    struct Node: Sendable {
        /// The last byte.
        var byte: UInt8
        /// The number of bytes.
        var depth: UInt16
        /// The number of the first node that is not below it. Nodes are numbered in preorder: those below follow a node.
        var end: Int32
        /// Where its tokens begin in ``order``; they end where those of the next node begin.
        var firstToken: Int32
    }

    /// The number of tokens of the vocabulary.
    package let tokenCount: Int
    /// The tokens that end the text.
    package let endTokens: [Int32]
    /// The nodes. Node 0 is the root; there is one more after the last.
    let nodes: [Node]
    /// The tokens with bytes, in the order of the nodes.
    let order: [Int32]
    /// The bytes of all tokens.
    private let bytes: [UInt8]
    private let starts: [Int32]
    /// The depth of the deepest node.
    let maximumDepth: Int

    /// The trie of a vocabulary.
    ///
    /// - Parameters:
    ///   - tokens: The bytes of each token, in the order of ids. Control tokens and other marks are no text: their bytes are empty, and no
    ///     grammar allows them.
    ///   - endTokens: The tokens that end the text. They are allowed where it is complete.
    package init(tokens: some Collection<some Collection<UInt8>>, endTokens: [Int32]) {
        var bytes: [UInt8] = []
        var starts: [Int32] = [0]
        starts.reserveCapacity(tokens.count + 1)
        for token in tokens {
            bytes.append(contentsOf: token)
            starts.append(Int32(bytes.count))
        }
        tokenCount = tokens.count
        self.endTokens = Set(endTokens).filter { (0..<Int32(starts.count - 1)).contains($0) }.sorted()
        (nodes, order) = Self.build(bytes, starts, ends: Set(self.endTokens))
        (self.bytes, self.starts) = (bytes, starts)
        maximumDepth = Int(nodes.lazy.map(\.depth).max() ?? 0)
    }

    /// The bytes of `token`; empty for marks and outside the vocabulary.
    func bytes(of token: Int32) -> ArraySlice<UInt8> {
        guard token >= 0, Int(token) < tokenCount else { return [] }
        let range = Int(starts[Int(token)])..<Int(starts[Int(token) + 1])
        return range.count <= Self.maximumTokenLength ? bytes[range] : []
    }

    private static func build(
        _ bytes: [UInt8], _ starts: [Int32], ends: Set<Int32>
    ) -> (nodes: [Node], order: [Int32]) {
        func range(_ token: Int32) -> Range<Int> { Int(starts[Int(token)])..<Int(starts[Int(token) + 1]) }
        var order = (0..<Int32(starts.count - 1)).filter {
            (1...maximumTokenLength).contains(range($0).count) && !ends.contains($0)
        }
        bytes.withUnsafeBufferPointer { bytes in
            order.sort { one, other in
                let (first, second) = (bytes[range(one)], bytes[range(other)])
                return first.lexicographicallyPrecedes(second) || (one < other && first.elementsEqual(second))
            }
        }
        var nodes = [Node(byte: 0, depth: 0, end: 0, firstToken: 0)]
        // The nodes on the path to the last token.
        var path = [0]
        for (place, token) in order.enumerated() {
            let text = bytes[range(token)]
            let last = place > 0 ? bytes[range(order[place - 1])] : []
            let shared = zip(text, last).prefix { $0 == $1 }.count
            while path.count - 1 > shared { nodes[path.removeLast()].end = Int32(nodes.count) }
            for byte in text.dropFirst(shared) {
                let depth = UInt16(path.count)
                path.append(nodes.count)
                nodes.append(Node(byte: byte, depth: depth, end: 0, firstToken: Int32(place)))
            }
        }
        for node in path { nodes[node].end = Int32(nodes.count) }
        nodes.append(Node(byte: 0, depth: 0, end: Int32(nodes.count), firstToken: Int32(order.count)))
        return (nodes, order)
    }
}
