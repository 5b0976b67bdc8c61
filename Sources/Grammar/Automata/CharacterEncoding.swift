// The bytes of characters: in UTF-8, and inside a JSON string.

import InferSupport

/// How characters are written as bytes.
enum CharacterEncoding: Sendable {
    /// UTF-8.
    case utf8
    /// UTF-8 with the escapes that a JSON string needs. Each character has one spelling: quote, backslash and the control characters
    /// are escaped, by their short escape where there is one, and all others are not.
    case jsonString

    /// The spellings of the characters of `set`: sequences of sets of bytes. No two spellings are equal.
    func spellings(of set: ScalarSet) -> [[ClosedRange<UInt8>]] {
        switch self {
        case .utf8: return set.ranges.flatMap(UTF8Ranges.sequences)
        case .jsonString:
            var spellings = set.subtracting(Self.escaped).ranges.flatMap(UTF8Ranges.sequences)
            for range in set.intersection(Self.escaped).ranges {
                for value in range { spellings.append(Self.escape(of: UInt8(value))) }
            }
            return spellings
        }
    }

    private static let escaped = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C])

    private static func escape(of byte: UInt8) -> [ClosedRange<UInt8>] {
        (JSONValue.escape(of: byte) ?? "").utf8.map { $0...$0 }
    }
}

/// The UTF-8 of ranges of scalar values.
enum UTF8Ranges {
    /// The UTF-8 of the scalar values in `range`, which has no surrogates: sequences of ranges of bytes, each of which may be taken
    /// independently of the others.
    static func sequences(of range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
        var sequences: [[ClosedRange<UInt8>]] = []
        var pending = [range]
        while let range = pending.popLast() {
            if let upper = lastOfBlock(range) {
                pending.append(upper + 1...range.upperBound)
                pending.append(range.lowerBound...upper)
            } else {
                sequences.append(zip(bytes(of: range.lowerBound), bytes(of: range.upperBound)).map { $0...$1 })
            }
        }
        return sequences
    }

    /// The last value of the first part, if the bytes of the range's values are not independent of each other.
    private static func lastOfBlock(_ range: ClosedRange<UInt32>) -> UInt32? {
        // Values of different lengths.
        for last: UInt32 in [0x7F, 0x7FF, 0xFFFF] where range.contains(last) && range.upperBound > last { return last }
        guard range.lowerBound > 0x7F else { return nil }
        // Values that differ before their last bytes must begin and end with whole blocks.
        for bits in [6, 12, 18] as [UInt32] {
            let mask: UInt32 = 1 << bits - 1
            guard range.lowerBound & ~mask != range.upperBound & ~mask else { continue }
            if range.lowerBound & mask != 0 { return range.lowerBound | mask }
            if range.upperBound & mask != mask { return range.upperBound & ~mask - 1 }
        }
        return nil
    }

    private static func bytes(of value: UInt32) -> [UInt8] {
        Unicode.Scalar(value).flatMap(UTF8.encode).map(Array.init) ?? []
    }
}
