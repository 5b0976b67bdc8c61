// Tokens by their bytes, or by the ends of their bytes, as a tree.

/// Tokens as a trie of bytes. Tokens that begin alike share nodes, so a grammar looks at a beginning once for all of them.
struct ByteTrie: Sendable {
    /// A node stands for the bytes on the path to it.
    struct Node: Sendable {
        /// The last byte.
        var byte: UInt8
        /// The number of bytes.
        var depth: UInt16
        /// The number of the first node that is not below it. Nodes are numbered in preorder: those below follow a node.
        var end: Int32
        /// Where its tokens begin in ``tokens``; they end where those of the next node begin.
        var firstToken: Int32
    }

    /// The nodes. Node 0 is the root. One more stands behind the last.
    let nodes: [Node]
    /// The tokens in the order of the nodes.
    let tokens: [Int32]
    /// The depth of the deepest node.
    let maximumDepth: Int

    /// The trie of `entries`: tokens, each with the range of `bytes` that counts. The ranges have at least one and at most 65,535 bytes.
    init(_ entries: [(token: Int32, range: Range<Int>)], of bytes: [UInt8]) {
        var entries = entries
        bytes.withUnsafeBufferPointer { bytes in
            entries.sort { one, other in
                let (first, second) = (bytes[one.range], bytes[other.range])
                if first.lexicographicallyPrecedes(second) { return true }
                return one.token < other.token && first.elementsEqual(second)
            }
        }
        var nodes = [Node(byte: 0, depth: 0, end: 0, firstToken: 0)]
        // The nodes on the path to the last token.
        var path = [0]
        var last = bytes[..<0]
        for (place, entry) in entries.enumerated() {
            let text = bytes[entry.range]
            let shared = zip(text, last).prefix { $0 == $1 }.count
            while path.count - 1 > shared { nodes[path.removeLast()].end = Int32(nodes.count) }
            for byte in text.dropFirst(shared) {
                let depth = UInt16(clamping: path.count)
                path.append(nodes.count)
                nodes.append(Node(byte: byte, depth: depth, end: 0, firstToken: Int32(place)))
            }
            last = text
        }
        for node in path { nodes[node].end = Int32(nodes.count) }
        nodes.append(Node(byte: 0, depth: 0, end: Int32(nodes.count), firstToken: Int32(entries.count)))
        self.nodes = nodes
        tokens = entries.map(\.token)
        maximumDepth = Int(nodes.lazy.map(\.depth).max() ?? 0)
    }

    /// The memory it takes, in bytes.
    var size: Int { nodes.count * MemoryLayout<Node>.stride + tokens.count * MemoryLayout<Int32>.stride }

    /// The tokens that end at `node`.
    func tokens(at node: Int32) -> ArraySlice<Int32> {
        tokens[Int(nodes[Int(node)].firstToken)..<Int(nodes[Int(node) + 1].firstToken)]
    }

    /// The tokens that end at `node` or below it.
    func tokens(from node: Int32) -> ArraySlice<Int32> {
        tokens[Int(nodes[Int(node)].firstToken)..<Int(nodes[Int(nodes[Int(node)].end)].firstToken)]
    }
}
