// Sets of characters, that is, of Unicode scalar values.

/// A set of Unicode scalar values as ranges in ascending order. Surrogates are no scalar values, so no set has them.
struct ScalarSet: Hashable, Sendable {
    /// Disjoint ranges that do not touch, in ascending order.
    private(set) var ranges: [ClosedRange<UInt32>]

    /// All scalar values.
    static let all = ScalarSet([0...0x10FFFF])
    /// No scalar value.
    static let none = ScalarSet([])

    private static let surrogates: ClosedRange<UInt32> = 0xD800...0xDFFF

    /// The scalar values of any ranges.
    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound < Self.surrogates.lowerBound {
                add(range.lowerBound...min(range.upperBound, Self.surrogates.lowerBound - 1))
            }
            if range.upperBound > Self.surrogates.upperBound {
                add(max(range.lowerBound, Self.surrogates.upperBound + 1)...min(range.upperBound, 0x10FFFF))
            }
        }
    }

    /// The set of one scalar value.
    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    /// The scalar values of a text.
    init(_ text: String) { self.init(text.unicodeScalars.map { $0.value...$0.value }) }

    /// Adds a range that begins after the beginnings of all others.
    private mutating func add(_ range: ClosedRange<UInt32>) {
        if let last = ranges.last, range.lowerBound <= last.upperBound + 1 {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    /// Whether there is no scalar value.
    var isEmpty: Bool { ranges.isEmpty }

    /// The scalar values that are not in this set.
    var inverted: ScalarSet {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return ScalarSet(result)
    }

    /// The scalar values of both sets together.
    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// The scalar values that both sets have.
    func intersection(_ other: ScalarSet) -> ScalarSet { inverted.union(other.inverted).inverted }

    /// The scalar values that `other` lacks.
    func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.inverted) }

    /// Whether `scalar` is an element.
    func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } }
}
