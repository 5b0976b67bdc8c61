// Retrieval-based speculative decoding: continues the text as a collection of documents does.
//
// Rule: Z. He et al., "REST: Retrieval-Based Speculative Decoding" (arXiv 2311.08252), sections 3.2–3.4, with the
// parameters of its public implementation (FasterDecoding/REST): the last 16 tokens are looked for in the datastore, or
// if they are not there the last 15, and so on down to 2; of at most 5,000 occurrences, the first in suffix order, the
// next 10 tokens are taken; all their beginnings are counted, and the 64 most frequent are the draft, a tree. Drafts
// end where a document ends.

/// Drafts the continuations that are most frequent in a collection of documents.
public final class RESTDrafter: Drafter, DocumentDrafter {
    /// A short name for reports.
    public let name = "rest"

    private let matchLengths: ClosedRange<Int>
    private let maximumHits: Int
    private let draftLength: Int
    private let maximumNodes: Int
    private let store: SuffixSortedText
    /// For each document the positions of its tokens in `store`.
    private let extents: [Range<Int>]
    /// What is not served of `store`, and what is served instead.
    private var masked: [Range<Int>] = []
    private var substitute = SuffixSortedText([])
    /// Where copies of an answer are in `store`, and what leads to them.
    private var withheld: [Range<Int>] = []
    private var recent: [Int32] = []

    /// A drafter that knows `documents`, each as tokens.
    public init(
        documents: [[Int32]], matchLengths: ClosedRange<Int> = 2...16, maximumHits: Int = 5000, draftLength: Int = 10,
        maximumNodes: Int = 64
    ) {
        // Beyond that depth continuations are not sorted.
        self.draftLength = max(0, min(draftLength, SuffixSortedText.sortedDepth - 1))
        let longest = max(1, min(matchLengths.upperBound, SuffixSortedText.sortedDepth - self.draftLength))
        self.matchLengths = min(max(1, matchLengths.lowerBound), longest)...longest
        self.maximumHits = maximumHits
        self.maximumNodes = maximumNodes
        store = SuffixSortedText(documents)
        var start = 0
        extents = documents.map { document in
            defer { start += document.count + 1 }
            return start..<start + document.count
        }
    }

    /// Serves, until the next call, other documents in place of some.
    package func substitute(_ documents: [Int: [[Int32]]]) {
        masked = documents.keys.filter(extents.indices.contains).map { extents[$0] }
        substitute = SuffixSortedText(documents.sorted { $0.key < $1.key }.flatMap(\.value))
    }

    /// Serves, until the next call, no stretch that agrees with `answer` in `length` tokens or more.
    package func withhold(_ answer: [Int32], length: Int) {
        withheld = []
        guard length > 0, answer.count >= length else { return }
        for start in 0...(answer.count - length) {
            for copy in store.occurrences(of: answer[start..<start + length]) {
                // Whatever continuation of a match would run into it.
                withheld.append(copy - matchLengths.upperBound - draftLength..<copy + length)
            }
        }
    }

    /// Nothing is learned from one text for the next.
    package func forget() { recent = [] }

    /// Takes `tokens` as the text from now on.
    public func reset(to tokens: [Int32]) { recent = tokens.suffix(matchLengths.upperBound) }

    /// Learns how the text went on.
    public func observe(_ outcome: DraftOutcome) {
        recent = (recent + outcome.tokens).suffix(matchLengths.upperBound)
    }

    /// Guesses how the text goes on.
    public func draft(into tree: inout DraftTree, limit: Int) {
        for length in matchLengths.reversed() where length <= recent.count {
            let pattern = recent.suffix(length)
            let hits = store.continuations(of: pattern, limit: maximumHits) { position in
                masked.contains { $0.contains(position) } || withheld.contains { $0.contains(position) }
            }
            let more = substitute.continuations(of: pattern, limit: maximumHits) { _ in false }
            if hits.isEmpty, more.isEmpty { continue }
            insert(hits, more, matchLength: length, limit: min(limit, maximumNodes), into: &tree)
            return
        }
    }

    /// A beginning of continuations: where they go on in either text, in the order of what follows.
    private struct Beginning {
        var positions: ArraySlice<Int>
        var substitutePositions: ArraySlice<Int>
        let parent: Int
        let token: Int32
        let length: Int

        var count: Int { positions.count + substitutePositions.count }
    }

    private func insert(
        _ hits: [Int], _ more: [Int], matchLength: Int, limit: Int, into tree: inout DraftTree
    ) {
        let total = Float(hits.count + more.count)
        let tag = UInt16(clamping: matchLength)
        var open = children(
            of: Beginning(
                positions: hits[...], substitutePositions: more[...], parent: DraftTree.root, token: 0, length: 0),
            node: DraftTree.root)
        var room = limit
        while room > 0 {
            // The most frequent, of equals the one found first; a beginning is never more frequent than its own.
            guard let next = open.indices.max(by: { (open[$0].count, $1) < (open[$1].count, $0) }) else { return }
            let beginning = open.remove(at: next)
            let node = tree.insert(
                beginning.token, after: beginning.parent, value: Float(beginning.count) / total, tag: tag)
            open += children(of: beginning, node: node)
            room -= 1
        }
    }

    private func children(of beginning: Beginning, node: Int) -> [Beginning] {
        guard beginning.length < draftLength else { return [] }
        var children: [Beginning] = []
        var numbers: [Int32: Int] = [:]
        func collect(_ positions: ArraySlice<Int>, of text: SuffixSortedText, isSubstitute: Bool) {
            var rest = positions
            while let first = rest.first {
                let token = text.tokens[first + beginning.length]
                let end = rest.firstIndex { text.tokens[$0 + beginning.length] != token } ?? rest.endIndex
                let run = rest[..<end]
                rest = rest[end...]
                if token == SuffixSortedText.separator { continue }
                let number = numbers[token] ?? children.count
                if number == children.count {
                    numbers[token] = number
                    children.append(
                        Beginning(
                            positions: [], substitutePositions: [], parent: node, token: token,
                            length: beginning.length + 1))
                }
                if isSubstitute { children[number].substitutePositions = run } else { children[number].positions = run }
            }
        }
        collect(beginning.positions, of: store, isSubstitute: false)
        collect(beginning.substitutePositions, of: substitute, isSubstitute: true)
        return children
    }
}
