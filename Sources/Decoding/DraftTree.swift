// Draft trees: proposed continuations of a text.

/// Proposed continuations of a text. Continuations that begin alike share nodes.
///
/// A node is a token that may follow its parent. Nodes without a parent may follow the text. Nodes are numbered in the order of
/// their insertion, so a parent has a lower number than its children. No two children of a node have the same token.
public struct DraftTree: Sendable {
    /// The text itself, where a node is expected.
    public static let root = -1

    /// Each node's token.
    public private(set) var tokens: [Int32] = []
    /// Each node's parent, or ``root``.
    public private(set) var parents: [Int32] = []
    /// The estimated probability that a node and all its ancestors are accepted: 0...1, and never above the parent's.
    public private(set) var values: [Float] = []
    /// The kind of each node; see ``insert(_:after:value:tag:)``.
    public private(set) var tags: [UInt16] = []
    /// Each node's number of ancestors: 0 for a node that follows the text.
    public private(set) var depths: [Int32] = []
    private var links: [Links] = [Links()]

    /// The children of a node as a list; those of the root come first.
    private struct Links {
        var firstChild: Int32 = -1
        var lastChild: Int32 = -1
        var nextSibling: Int32 = -1
    }

    /// An empty draft.
    public init() {}

    /// An empty draft with room for `capacity` nodes.
    package init(capacity: Int) {
        tokens.reserveCapacity(capacity)
        parents.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
        tags.reserveCapacity(capacity)
        depths.reserveCapacity(capacity)
        links.reserveCapacity(capacity + 1)
    }

    /// The number of nodes.
    public var count: Int { tokens.count }
    /// Whether there is no node.
    public var isEmpty: Bool { tokens.isEmpty }
    /// The numbers of the nodes.
    public var nodes: Range<Int> { tokens.indices }

    /// Adds a node with `token` below `parent`. If there is one already, raises its value to `value`.
    ///
    /// - Parameters:
    ///   - token: The token.
    ///   - parent: A node, or ``root``.
    ///   - value: The estimated probability that this node and all its ancestors are accepted. A value below 0 or above the
    ///     parent's is replaced by the nearest possible one.
    ///   - tag: The kind of the node, such as its source and the length of the match. The engine learns how often nodes of one kind
    ///     are accepted and corrects their values. A node that is added twice keeps the tag of the higher value.
    /// - Returns: The node's number.
    @discardableResult
    public mutating func insert(_ token: Int32, after parent: Int = root, value: Float, tag: UInt16 = 0) -> Int {
        let limit = parent < 0 ? 1 : values[parent]
        let value = value > 0 ? min(value, limit) : 0
        if let node = child(token, of: parent) {
            if value > values[node] {
                values[node] = value
                tags[node] = tag
            }
            return node
        }
        let node = count
        tokens.append(token)
        parents.append(Int32(parent))
        values.append(value)
        tags.append(tag)
        depths.append(parent < 0 ? 0 : depths[parent] + 1)
        links.append(Links())
        let last = links[parent + 1].lastChild
        if last < 0 {
            links[parent + 1].firstChild = Int32(node)
        } else {
            links[Int(last) + 1].nextSibling = Int32(node)
        }
        links[parent + 1].lastChild = Int32(node)
        return node
    }

    /// Adds a chain of nodes, each the child of the one before.
    ///
    /// - Parameters:
    ///   - chain: The tokens, in order.
    ///   - parent: The node that the first follows, or ``root``.
    ///   - acceptance: The estimated probability that a token is accepted if all before it are.
    ///   - tag: The nodes' kind.
    /// - Returns: The last node, or `parent` when the chain is empty.
    @discardableResult
    public mutating func insert(
        chain: some Sequence<Int32>, after parent: Int = root, acceptance: Float, tag: UInt16 = 0
    ) -> Int {
        var node = parent
        var value = node < 0 ? 1 : values[node]
        for token in chain {
            value *= acceptance
            node = insert(token, after: node, value: value, tag: tag)
        }
        return node
    }

    /// The child of `node`, or of the ``root``, with `token`; nil if there is none.
    public func child(_ token: Int32, of node: Int) -> Int? {
        var child = links[node + 1].firstChild
        while child >= 0, tokens[Int(child)] != token { child = links[Int(child) + 1].nextSibling }
        return child < 0 ? nil : Int(child)
    }

    /// The children of `node`, or of the ``root``, in the order of their insertion.
    public func children(of node: Int) -> [Int] {
        var children: [Int] = []
        var child = links[node + 1].firstChild
        while child >= 0 {
            children.append(Int(child))
            child = links[Int(child) + 1].nextSibling
        }
        return children
    }

    /// The tokens of the path from the ``root`` down to `node`, its own included.
    public func path(to node: Int) -> [Int32] {
        var path: [Int32] = []
        var node = node
        while node >= 0 {
            path.append(tokens[node])
            node = Int(parents[node])
        }
        return path.reversed()
    }

    /// The tree of the nodes in `selection`: node i of the result is node `selection[i]` of this tree. The selection is ascending and
    /// has the parent of each of its nodes.
    func restricted(to selection: [Int]) -> DraftTree {
        var tree = DraftTree()
        var numbers = [Int](repeating: Self.root, count: count)
        for node in selection {
            let parent = parents[node] < 0 ? Self.root : numbers[Int(parents[node])]
            numbers[node] = tree.insert(tokens[node], after: parent, value: values[node], tag: tags[node])
        }
        return tree
    }
}
