// Byte-level byte-pair encoding.

import InferGGUF

/// Encodes text by merging the pairs of a word's bytes in the order in which training found them (Sennrich et al.,
/// arXiv 1508.07909; on bytes as in GPT-2).
///
/// Symbols are ids in a table of the vocabulary's texts, followed by the texts that merges mention and the vocabulary
/// lacks.
final class BytePairEncoder: Sendable {
    private let table: StringTable
    private let tokenCount: Int
    private let merges: MergeTable
    private let mergeCount: Int
    private let preTokenizer: PreTokenizer
    /// The symbol of each byte.
    private let byteSymbols: [Int32]
    /// The tokens that stand for no text, which a word is not, however it is spelled.
    private let marks: Set<Int32>
    /// The pairs of bytes some merge joins.
    private let junctions: JunctionSet

    init(
        _ vocabulary: StringTable, attributes: [TokenAttributes], merges: PackedStrings, preTokenizer: PreTokenizer
    ) {
        var table = vocabulary
        var pairs = MergeTable(capacity: merges.count)
        var junctions = JunctionSet()
        var joined: [UInt8] = []
        var symbol: Int32 = 0
        for (rank, merge) in merges.enumerated() {
            // "left right": the halves are separated by the first space that is not the first character.
            guard let space = merge.dropFirst().firstIndex(of: 0x20), space + 1 < merge.endIndex else { continue }
            joined.removeAll(keepingCapacity: true)
            joined.append(contentsOf: merge[..<space])
            let middle = joined.count
            joined.append(contentsOf: merge[(space + 1)...])
            let left = table.intern(joined, 0..<middle)
            let right = table.intern(joined, middle..<joined.count)
            // Vocabularies list the results of merges in the order of the merges.
            symbol = table.intern(joined, 0..<joined.count, guessing: symbol + 1)
            pairs.insert(left, right, Merge(rank: Int32(rank), symbol: symbol))
            if let last = ByteAlphabet.lastByte(of: joined[..<middle]),
                let first = ByteAlphabet.firstByte(of: joined[middle...])
            {
                junctions.insert(last, first)
            }
        }
        byteSymbols = ByteAlphabet.encoded.map { table.intern($0, 0..<$0.count) }
        self.table = table
        self.merges = pairs
        self.junctions = junctions
        self.preTokenizer = preTokenizer
        tokenCount = vocabulary.count
        marks = Set(attributes.indices.filter { !attributes[$0].isText }.map(Int32.init))
        mergeCount = merges.count
    }

    /// Appends the tokens of the plain text `bytes[range]`.
    func encode(_ bytes: [UInt8], _ range: Range<Int>, into output: inout [TokenID], _ workspace: inout Workspace) {
        workspace.text.decode(bytes, range)
        var start = 0
        let ends = preTokenizer.split(workspace.text)
        if workspace.text.isASCII {
            bytes.withUnsafeBytes { bytes in
                let text = UnsafeRawBufferPointer(rebasing: bytes[range])
                for end in ends {
                    encodeWord(UnsafeRawBufferPointer(rebasing: text[start..<end]), into: &output, &workspace)
                    start = end
                }
            }
            return
        }
        // Spelled anew, as bytes that are no UTF-8 have become U+FFFD.
        var word: [UInt8] = []
        for end in ends {
            word.removeAll(keepingCapacity: true)
            for scalar in workspace.text.scalars[start..<end] { UTF8Pattern.encode(scalar.value) { word.append($0) } }
            word.withUnsafeBytes { encodeWord($0, into: &output, &workspace) }
            start = end
        }
    }

    /// Memory to work in, and the words that were encoded in it.
    struct Workspace {
        fileprivate var text = ScalarText()
        fileprivate var word: [Int32] = []
        fileprivate var spelling: [UInt8] = []
        fileprivate var merger = WordMerger<Pairs>()
        fileprivate var cache: WordCache
    }

    /// Memory for texts of `byteCount` bytes in all.
    func makeWorkspace(byteCount: Int) -> Workspace { Workspace(cache: WordCache(byteCount: byteCount)) }

    /// The merges as a rule.
    fileprivate struct Pairs: MergeRule {
        let table: MergeTable
        let rankCount: Int

        func merge(_ left: Int32, _ right: Int32, spanning span: Range<Int>) -> Merge? { table.find(left, right) }
    }

    private var pairs: Pairs { Pairs(table: merges, rankCount: mergeCount) }

    private func encodeWord(
        _ bytes: UnsafeRawBufferPointer, into output: inout [TokenID], _ workspace: inout Workspace
    ) {
        guard let key = WordCache.Key(bytes) else { return mergeWord(bytes, into: &output, &workspace) }
        if workspace.cache.append(key, to: &output) { return }
        let start = output.count
        mergeWord(bytes, into: &output, &workspace)
        workspace.cache.insert(key, output[start...])
    }

    private func mergeWord(
        _ bytes: UnsafeRawBufferPointer, into output: inout [TokenID], _ workspace: inout Workspace
    ) {
        if preTokenizer.ignoresMerges, let token = wholeWord(bytes, &workspace) {
            output.append(token)
            return
        }
        workspace.word.removeAll(keepingCapacity: true)
        var last: UInt8 = 0
        for byte in bytes {
            if !workspace.word.isEmpty, !junctions.contains(last, byte) { mergePart(into: &output, &workspace) }
            workspace.word.append(byteSymbols[Int(byte)])
            last = byte
        }
        mergePart(into: &output, &workspace)
    }

    /// Appends what the symbols in `workspace` merge to, and removes them.
    private func mergePart(into output: inout [TokenID], _ workspace: inout Workspace) {
        workspace.merger.merge(workspace.word, pairs) { symbol, _ in
            if symbol < tokenCount {
                output.append(symbol)
            } else {
                spell(symbol, into: &output)
            }
        }
        workspace.word.removeAll(keepingCapacity: true)
    }

    /// The token whose text is the word `bytes`.
    private func wholeWord(_ bytes: UnsafeRawBufferPointer, _ workspace: inout Workspace) -> TokenID? {
        guard bytes.count <= table.longest else { return nil }
        workspace.spelling.removeAll(keepingCapacity: true)
        for byte in bytes { workspace.spelling.append(contentsOf: ByteAlphabet.encoded[Int(byte)]) }
        guard let symbol = table.find(workspace.spelling, 0..<workspace.spelling.count), symbol < tokenCount,
            !marks.contains(symbol)
        else { return nil }
        return symbol
    }

    /// Appends the tokens of the bytes of a symbol's text that have one, for a symbol that is no token.
    private func spell(_ symbol: Int32, into output: inout [TokenID]) {
        for index in table.range(of: Int(symbol)) {
            if let token = table.find(table.bytes, index..<index + 1), token < tokenCount { output.append(token) }
        }
    }
}
