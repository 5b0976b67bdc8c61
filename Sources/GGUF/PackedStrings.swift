// Many byte strings in one allocation.

/// A list of byte strings stored end to end: what a vocabulary's texts and merges are read into.
public struct PackedStrings: Sendable, RandomAccessCollection {
    /// All strings' bytes, one after the other.
    public private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// An empty list.
    public init() {}

    /// The first index, 0.
    public var startIndex: Int { 0 }
    /// The number of strings.
    public var endIndex: Int { ends.count }
    /// The bytes of the string at `index`.
    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    /// Makes room for `count` strings of `bytes` bytes together.
    public mutating func reserveCapacity(_ count: Int, bytes: Int) {
        ends.reserveCapacity(count)
        self.bytes.reserveCapacity(bytes)
    }

    /// Adds a string at the end.
    public mutating func append(_ string: some Sequence<UInt8>) {
        bytes.append(contentsOf: string)
        ends.append(bytes.count)
    }
}
