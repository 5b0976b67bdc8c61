// Byte-pair encoding: the encoder, the merges of its vocabulary, and the cache of encoded words.

import InferGGUF

/// Encodes text by merging pairs of symbols within a word, in the order of the merges in the vocabulary (Sennrich et al.,
/// arXiv 1508.07909; on bytes as in GPT-2, or on characters as in Gemma 4).
///
/// A symbol is an id in a table. The table has the texts of the vocabulary, followed by texts that only merges mention.
final class BytePairEncoder: Sendable {
    private let table: StringTable
    private let tokenCount: Int
    private let merges: MergeTable
    private let mergeCount: Int
    private let preTokenizer: PreTokenizer
    /// In byte-level vocabularies: the symbol of each byte.
    private let byteSymbols: [Int32]
    /// In vocabularies of characters: the symbol of each ASCII character; nil if there is none.
    private let characterSymbols: [Int32?]
    /// In vocabularies of characters: the token of each byte, for text that no other token has; nil if there is none.
    private let byteTokens: [TokenID?]
    /// The tokens that are marks. No word becomes one of them, whatever its spelling.
    private let marks: Set<Int32>
    /// The pairs of bytes that some merge joins.
    private let junctions: JunctionSet

    init(
        _ vocabulary: StringTable, attributes: [TokenAttributes], merges: PackedStrings, preTokenizer: PreTokenizer
    ) {
        var table = vocabulary
        var pairs = MergeTable(capacity: merges.count)
        var junctions = JunctionSet()
        var joined: [UInt8] = []
        var symbol: Int32 = 0
        let isByteLevel = preTokenizer.spelling == .bytes
        for (rank, merge) in merges.enumerated() {
            // "left right": the first space after the first character separates the halves.
            guard let space = merge.dropFirst().firstIndex(of: 0x20), space + 1 < merge.endIndex else { continue }
            joined.removeAll(keepingCapacity: true)
            joined.append(contentsOf: merge[..<space])
            let middle = joined.count
            joined.append(contentsOf: merge[(space + 1)...])
            let left = table.intern(joined, 0..<middle)
            let right = table.intern(joined, middle..<joined.count)
            // Vocabularies usually list the results of merges in the order of the merges, so the next id is a good guess.
            symbol = table.intern(joined, 0..<joined.count, guessing: symbol + 1)
            pairs.insert(left, right, Merge(rank: Int32(rank), symbol: symbol))
            if !isByteLevel {
                junctions.insert(Self.lastByte(of: joined[..<middle]), Self.firstByte(of: joined[middle...]))
            } else if let last = ByteAlphabet.lastByte(of: joined[..<middle]),
                let first = ByteAlphabet.firstByte(of: joined[middle...])
            {
                junctions.insert(last, first)
            }
        }
        if isByteLevel {
            byteSymbols = ByteAlphabet.encoded.map { table.intern($0, 0..<$0.count) }
            characterSymbols = []
            byteTokens = []
        } else {
            byteSymbols = []
            characterSymbols = (UInt8.min..<0x80).map { table.find($0 == 0x20 ? Self.space : [$0]) }
            byteTokens = (UInt8.min ... .max).map { vocabulary.find(ByteAlphabet.hexadecimal($0)) }
        }
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
        guard preTokenizer.spelling == .bytes else { return encodeCharacters(ends, into: &output, &workspace) }
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
        // Encode the scalars as UTF-8 again, because invalid bytes have become U+FFFD.
        var word: [UInt8] = []
        for end in ends {
            word.removeAll(keepingCapacity: true)
            for scalar in workspace.text.scalars[start..<end] { UTF8Pattern.encode(scalar.value) { word.append($0) } }
            word.withUnsafeBytes { encodeWord($0, into: &output, &workspace) }
            start = end
        }
    }

    /// Working memory, and the cache of encoded words.
    struct Workspace {
        fileprivate var text = ScalarText()
        /// The symbols to merge. Empty between words.
        fileprivate var word: [Int32] = []
        fileprivate var spelling: [UInt8] = []
        fileprivate var merger = WordMerger<Pairs>()
        fileprivate var cache: WordCache
    }

    /// Working memory for texts of `byteCount` bytes in total.
    func makeWorkspace(byteCount: Int) -> Workspace { Workspace(cache: WordCache(byteCount: byteCount)) }

    /// The merge table as a ``MergeRule``.
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
        if preTokenizer.wholeWords == .all, let token = wholeWord(bytes, &workspace) {
            output.append(token)
            return
        }
        var last: UInt8 = 0
        for byte in bytes {
            if !workspace.word.isEmpty, !junctions.contains(last, byte) { mergePart(into: &output, &workspace) }
            workspace.word.append(byteSymbols[Int(byte)])
            last = byte
        }
        mergePart(into: &output, &workspace)
    }

    /// Merges the symbols in `workspace`, appends the resulting tokens, and removes the symbols.
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

    /// The token that is the whole word; nil if there is none.
    private func wholeWord(_ bytes: UnsafeRawBufferPointer, _ workspace: inout Workspace) -> TokenID? {
        guard bytes.count <= table.longest else { return nil }
        workspace.spelling.removeAll(keepingCapacity: true)
        for byte in bytes { workspace.spelling.append(contentsOf: ByteAlphabet.encoded[Int(byte)]) }
        return plainToken(workspace.spelling)
    }

    /// The token with the spelling `text`; nil if there is none or it is a mark.
    private func plainToken(_ text: [UInt8]) -> TokenID? {
        guard let symbol = table.find(text, 0..<text.count), symbol < tokenCount, !marks.contains(symbol)
        else { return nil }
        return symbol
    }

    /// For a symbol that is not a token: appends the tokens of the single bytes of its text. Bytes without a token are
    /// omitted.
    private func spell(_ symbol: Int32, into output: inout [TokenID]) {
        if preTokenizer.spelling != .bytes {
            return spell(table.bytes[table.range(of: Int(symbol))], into: &output)
        }
        for index in table.range(of: Int(symbol)) {
            if let token = table.find(table.bytes, index..<index + 1), token < tokenCount { output.append(token) }
        }
    }
}

// MARK: Vocabularies of characters

extension BytePairEncoder {
    /// The UTF-8 of U+2581, which represents a space. Within this section one byte, a space, stands for it.
    private static let space = SentencePieceEncoder.space

    private static func lastByte(of text: ArraySlice<UInt8>) -> UInt8 {
        text.suffix(space.count).elementsEqual(space) ? 0x20 : text[text.endIndex - 1]
    }

    private static func firstByte(of text: ArraySlice<UInt8>) -> UInt8 {
        text.starts(with: space) ? 0x20 : text[text.startIndex]
    }

    /// Appends the tokens of the words of `workspace.text`, which end at `ends`.
    ///
    /// A word is a line. It is cut into parts where no merge can join characters, so most parts are what other models have as
    /// words, and the cache finds them. The function is not inlined, so that it does not change the code for other vocabularies.
    @inline(never)
    private func encodeCharacters(_ ends: [Int], into output: inout [TokenID], _ workspace: inout Workspace) {
        let cutsBeforeSpaces = preTokenizer.spelling == .charactersWithSpacesBeforeWords
        var part: [UInt8] = []
        var start = 0
        for end in ends {
            let word = start..<end
            start = end
            let beginsWithLineFeed = workspace.text.scalars[word.lowerBound] == "\n"
            if preTokenizer.wholeWords == .lineFeeds, beginsWithLineFeed, word.count <= table.longest,
                let token = plainToken(Array(repeating: 0x0A, count: word.count))
            {
                output.append(token)
                continue
            }
            var last: UInt8 = 0
            for index in word {
                let scalar = workspace.text.scalars[index].value
                let value = scalar == 0x2581 ? 0x20 : scalar
                if cutsBeforeSpaces, index == word.lowerBound, value != 0x20, !beginsWithLineFeed {
                    part.append(0x20)
                    last = 0x20
                }
                if !part.isEmpty,
                    !junctions.contains(last, UTF8Pattern.lead(value)) || cutsBeforeSpaces && value == 0x20
                {
                    mergeCharacters(part, into: &output, &workspace)
                    part.removeAll(keepingCapacity: true)
                }
                UTF8Pattern.encode(value) {
                    part.append($0)
                    last = $0
                }
            }
            mergeCharacters(part, into: &output, &workspace)
            part.removeAll(keepingCapacity: true)
        }
    }

    /// Appends the tokens of the characters `part`.
    private func mergeCharacters(_ part: [UInt8], into output: inout [TokenID], _ workspace: inout Workspace) {
        let key = part.withUnsafeBytes { WordCache.Key($0) }
        if let key, workspace.cache.append(key, to: &output) { return }
        let start = output.count
        var hasAbsent = false
        var index = 0
        while index < part.count {
            let end = index + UTF8Pattern.length(lead: part[index])
            let symbol = end == index + 1 ? characterSymbols[Int(part[index])] : table.find(part, index..<end)
            // A character that the vocabulary does not have is the complement of its place. It merges with nothing.
            workspace.word.append(symbol ?? ~Int32(index))
            hasAbsent = hasAbsent || symbol == nil
            index = end
        }
        mergePart(into: &output, &workspace)
        if hasAbsent { spellAbsent(in: part, from: start, of: &output) }
        if let key { workspace.cache.insert(key, output[start...]) }
    }

    /// Replaces the characters of `part` that the vocabulary does not have, from `start` of `output` on, by byte tokens.
    private func spellAbsent(in part: [UInt8], from start: Int, of output: inout [TokenID]) {
        let merged = Array(output[start...])
        output.removeSubrange(start...)
        for symbol in merged {
            if symbol >= 0 {
                output.append(symbol)
                continue
            }
            let place = Int(~symbol)
            let character = part[place..<place + UTF8Pattern.length(lead: part[place])]
            spell(character.elementsEqual([0x20]) ? Self.space[...] : character, into: &output)
        }
    }

    /// Appends the byte tokens of `text`. Bytes without a token are omitted.
    private func spell(_ text: ArraySlice<UInt8>, into output: inout [TokenID]) {
        output.append(contentsOf: text.compactMap { byteTokens[Int($0)] })
    }
}

// MARK: Merges

/// The merges of a vocabulary: an open-addressing hash table from pairs of symbols to merges.
struct MergeTable: Sendable {
    private struct Slot: Sendable { var pair: UInt64, rank: Int32, symbol: Int32 }

    private static let free = UInt64.max
    private var slots: [Slot]
    private let shift: Int
    private let factor = UInt64.random(in: .min ... .max) | 1

    /// An empty table with room for `capacity` merges.
    init(capacity: Int) {
        var bits = 4
        while 1 << bits < capacity * 2 { bits += 1 }
        shift = 64 - bits
        slots = Array(repeating: Slot(pair: Self.free, rank: 0, symbol: 0), count: 1 << bits)
    }

    /// Adds a merge, unless the pair already has one.
    mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
        let pair = Self.pair(left, right)
        let slot = slot(of: pair)
        if slots[slot].pair == Self.free { slots[slot] = Slot(pair: pair, rank: merge.rank, symbol: merge.symbol) }
    }

    func find(_ left: Int32, _ right: Int32) -> Merge? {
        let slot = slots[slot(of: Self.pair(left, right))]
        return slot.pair == Self.free ? nil : Merge(rank: slot.rank, symbol: slot.symbol)
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(of pair: UInt64) -> Int {
        var index = Int(truncatingIfNeeded: ((pair ^ pair >> 29) &* factor) >> UInt64(shift))
        while slots[index].pair != pair, slots[index].pair != Self.free { index = (index + 1) & (slots.count - 1) }
        return index
    }
}

// MARK: Cache

/// A cache of short words with their tokens. It has a fixed number of slots. The hash of a word determines its slot; a new word
/// replaces the old one.
///
/// Text repeats its words, so almost all lookups succeed, and a lookup is much faster than merging.
struct WordCache {
    /// The bytes and the length of a word. Two words are equal if and only if their keys are.
    struct Key: Equatable {
        private(set) var low: UInt64
        private(set) var high: UInt64

        /// Maximum number of bytes of a word. The last byte of the key is the length.
        private static let longestWord = 15

        /// The key of a word; nil for an empty word and for a word that is too long.
        @inline(__always)
        init?(_ word: UnsafeRawBufferPointer) {
            let count = word.count
            guard count > 0, count <= Self.longestWord else { return nil }
            func long(_ offset: Int) -> UInt64 {
                UInt64(littleEndian: word.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            func half(_ offset: Int) -> UInt64 {
                UInt64(UInt32(littleEndian: word.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            }
            high = 0
            // Two overlapping loads cover every length.
            if count >= 8 {
                low = long(0)
                if count > 8 { high = long(count - 8) >> UInt64(8 * (16 - count)) }
            } else if count >= 4 {
                low = half(0) | half(count - 4) << UInt64(8 * (count - 4))
            } else {
                let middle = count / 2
                low = UInt64(word[0]) | UInt64(word[middle]) << UInt64(8 * middle)
                low |= UInt64(word[count - 1]) << UInt64(8 * (count - 1))
            }
            high |= UInt64(count) << 56
        }

        fileprivate init() { (low, high) = (0, 0) }

        fileprivate var hash: UInt64 {
            let mixed = (low ^ high &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
            return (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        }
    }

    /// A word and up to four tokens. A negative value ends the list.
    private struct Slot {
        var key = Key()
        var tokens = SIMD4<Int32>(repeating: -1)
    }

    private static let mostSlots = 1 << 13
    private var slots: [Slot]

    /// A cache with a size that suits texts of `count` bytes; without slots if they are short.
    init(byteCount count: Int) {
        var size = 0
        if count >= 2048 {
            size = 256
            while size < Self.mostSlots, size < count / 8 { size *= 2 }
        }
        slots = Array(repeating: Slot(), count: size)
    }

    /// Appends the tokens of a word; returns false if the cache does not have it.
    @inline(__always)
    func append(_ key: Key, to output: inout [TokenID]) -> Bool {
        guard !slots.isEmpty else { return false }
        let slot = slots[Int(truncatingIfNeeded: key.hash >> 32) & (slots.count - 1)]
        guard slot.key == key else { return false }
        for index in 0..<4 {
            guard slot.tokens[index] >= 0 else { break }
            output.append(slot.tokens[index])
        }
        return true
    }

    /// Stores a word with its tokens, unless it has more than four.
    mutating func insert(_ key: Key, _ tokens: ArraySlice<TokenID>) {
        guard !slots.isEmpty, tokens.count <= 4 else { return }
        var slot = Slot()
        slot.key = key
        for (index, token) in tokens.enumerated() { slot.tokens[index] = token }
        slots[Int(truncatingIfNeeded: key.hash >> 32) & (slots.count - 1)] = slot
    }
}
