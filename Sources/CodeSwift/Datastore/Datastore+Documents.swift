// The documents of a datastore.

extension Datastore {
    /// One document's place.
    package struct Document: Equatable, Sendable {
        /// Its name: a path relative to the root it was found under.
        package var name: String
        /// Its tokens, the separator after them left out.
        package var tokens: Range<Int>
    }

    /// The document at `index`; where the table is damaged, an empty one.
    package func document(_ index: Int) -> Document? {
        guard index >= 0, index < documentCount else { return nil }
        let names = bytes(.names)
        let (start, nameStart) = entry(index)
        let (end, nameEnd) = entry(index + 1)
        guard start < end, end <= tokenCount, nameStart <= nameEnd, nameEnd <= names.count else {
            return Document(name: "", tokens: 0..<0)
        }
        return Document(
            name: String(decoding: names[nameStart..<nameEnd], as: UTF8.self), tokens: start..<end - 1)
    }

    /// For tests. The index of the document that contains the token at `position`; nil after the last document.
    package func documentIndex(at position: Int) -> Int? {
        var lower = 0
        var upper = documentCount
        while lower < upper {
            let middle = (lower + upper) / 2
            if entry(middle + 1).tokenStart > position { upper = middle } else { lower = middle + 1 }
        }
        return lower < documentCount && entry(lower).tokenStart <= position ? lower : nil
    }

    /// An entry of the document table, which has one more than there are documents.
    func entry(_ index: Int) -> (tokenStart: Int, nameStart: Int) {
        let table = bytes(.documents)
        return (
            Int(UInt32(littleEndian: table.load(fromByteOffset: index * 8, as: UInt32.self))),
            Int(UInt32(littleEndian: table.load(fromByteOffset: index * 8 + 4, as: UInt32.self)))
        )
    }
}
