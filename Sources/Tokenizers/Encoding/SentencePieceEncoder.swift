// SentencePiece byte-pair encoding.

/// Encodes text by merging neighbouring symbols whose joint text is a token, best score first (Kudo and Richardson, arXiv
/// 1808.06226). Characters outside the vocabulary become byte tokens.
final class SentencePieceEncoder: Sendable {
    private let table: StringTable
    /// The rank of each token by score, best first; ``unmerged`` for marks and byte tokens, which are never a merge result.
    private let ranks: [Int32]
    private let rankCount: Int
    /// The token of each byte; nil if there is none.
    private let byteTokens: [TokenID?]
    private let unknown: TokenID?
    /// The neighbouring bytes within tokens. U+2581 counts as one byte, a space.
    private let junctions: JunctionSet

    /// The UTF-8 of U+2581, which represents a space.
    static let space: [UInt8] = [0xE2, 0x96, 0x81]

    init(_ table: StringTable, scores: [Float], attributes: [TokenAttributes], unknown: TokenID?) {
        self.table = table
        self.unknown = unknown
        let scores = (0..<table.count).map { id in
            let score = id < scores.count ? scores[id] : 0
            return score.isNaN ? -Float.infinity : score
        }
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        var ranks = [Int32](repeating: 0, count: scores.count)
        var rank: Int32 = 0
        for (place, id) in order.enumerated() {
            if place > 0, scores[id] < scores[order[place - 1]] { rank += 1 }
            ranks[id] = rank
        }
        for id in ranks.indices where !attributes[id].isText || attributes[id].contains(.byte) {
            ranks[id] = Self.unmerged
        }
        self.ranks = ranks
        rankCount = Int(rank) + 1
        byteTokens = (UInt8.min ... .max).map { byte in
            table.find(ByteAlphabet.hexadecimal(byte)) ?? table.find([byte])
        }
        var junctions = JunctionSet()
        for id in 0..<table.count { Self.insertJunctions(of: table.bytes[table.range(of: id)], into: &junctions) }
        self.junctions = junctions
    }

    private static func insertJunctions(of text: ArraySlice<UInt8>, into junctions: inout JunctionSet) {
        var last: UInt8?
        var index = text.startIndex
        while index < text.endIndex {
            let isSpace = isSpace(text, index)
            let byte = isSpace ? 0x20 : text[index]
            if let last { junctions.insert(last, byte) }
            last = byte
            index += isSpace ? space.count : 1
        }
    }

    /// Whether U+2581 is at `index`.
    private static func isSpace(_ text: ArraySlice<UInt8>, _ index: Int) -> Bool {
        text[index] == space[0] && index + 2 < text.endIndex && text[index + 1] == space[1]
            && text[index + 2] == space[2]
    }

    /// Working memory for one call.
    struct Workspace {
        fileprivate var text: Pieces
        fileprivate var symbols: [Int32] = []
        fileprivate var merger = WordMerger<Pieces>()
    }

    func makeWorkspace() -> Workspace { Workspace(text: Pieces(table: table, ranks: ranks, rankCount: rankCount)) }

    /// Appends the tokens of the plain text `text[range]`. `prefixed` puts a space before it.
    func encode(
        _ text: [UInt8], _ range: Range<Int>, prefixed: Bool, into output: inout [TokenID], _ workspace: inout Workspace
    ) {
        workspace.text.bytes.removeAll(keepingCapacity: true)
        if prefixed { workspace.text.bytes += Self.space }
        for byte in text[range] {
            if byte == 0x20 { workspace.text.bytes += Self.space } else { workspace.text.bytes.append(byte) }
        }
        workspace.symbols.removeAll(keepingCapacity: true)
        workspace.text.offsets.removeAll(keepingCapacity: true)
        var start = 0
        var last: UInt8?
        while start < workspace.text.bytes.count {
            let end = endOfCharacter(workspace.text.bytes, start)
            let isSpace = end - start == Self.space.count && Self.isSpace(workspace.text.bytes[...], start)
            if let last, !junctions.contains(last, isSpace ? 0x20 : workspace.text.bytes[start]) {
                mergePart(endingAt: start, into: &output, &workspace)
                workspace.symbols.removeAll(keepingCapacity: true)
                workspace.text.offsets.removeAll(keepingCapacity: true)
            }
            workspace.text.offsets.append(start)
            workspace.symbols.append(table.find(workspace.text.bytes, start..<end) ?? Self.absent)
            last = isSpace ? 0x20 : workspace.text.bytes[end - 1]
            start = end
        }
        mergePart(endingAt: start, into: &output, &workspace)
    }

    /// The end of the character at `start`, according to its first byte. Invalid UTF-8 is cut in the same way.
    private func endOfCharacter(_ bytes: [UInt8], _ start: Int) -> Int {
        let lead = bytes[start]
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
        return min(start + length, bytes.count)
    }
}

// MARK: Parts
extension SentencePieceEncoder {
    /// The merge rule: a pair merges if its text is a token.
    fileprivate struct Pieces: MergeRule {
        let table: StringTable
        let ranks: [Int32]
        let rankCount: Int
        var bytes: [UInt8] = []
        /// The start of each character, and the end of the last.
        var offsets: [Int] = []

        func merge(_ left: Int32, _ right: Int32, spanning span: Range<Int>) -> Merge? {
            guard let token = table.find(bytes, offsets[span.lowerBound]..<offsets[span.upperBound]),
                ranks[Int(token)] != SentencePieceEncoder.unmerged
            else { return nil }
            return Merge(rank: ranks[Int(token)], symbol: token)
        }
    }

    private static let absent: Int32 = -1
    private static let unmerged: Int32 = -1

    /// Merges the symbols in `workspace` and appends the resulting tokens. `end` is the end of the last symbol.
    private func mergePart(endingAt end: Int, into output: inout [TokenID], _ workspace: inout Workspace) {
        guard workspace.symbols.count > 1 || workspace.symbols.first == Self.absent else {
            // Most parts are one character and need no merging.
            output.append(contentsOf: workspace.symbols)
            return
        }
        workspace.text.offsets.append(end)
        let text = workspace.text
        workspace.merger.merge(workspace.symbols, text) { symbol, span in
            if symbol != Self.absent {
                output.append(symbol)
            } else {
                let bytes = text.bytes[text.offsets[span.lowerBound]..<text.offsets[span.upperBound]]
                output.append(contentsOf: bytes.compactMap { byteTokens[Int($0)] ?? unknown })
            }
        }
    }
}
