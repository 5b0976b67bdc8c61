// The bytes that a bracket of a pattern stands for.

/// A set of bytes.
struct ByteSet: Equatable, Sendable {
    private var words = SIMD4<UInt64>()

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    private mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    private mutating func insert(where condition: (UInt8) -> Bool) {
        for byte in UInt8.min...UInt8.max where condition(byte) { insert(byte) }
    }

    /// The set that begins after its bracket at `start`, and the index after it; nil when git takes it for no set, and the
    /// pattern with it for one that matches nothing. Where case does not count, bytes are asked for in small letters.
    static func parse(_ pattern: [UInt8], _ start: Int, ignoresCase: Bool) -> (ByteSet, Int)? {
        var set = ByteSet()
        var index = start
        func byte(_ index: Int) -> UInt8? { index < pattern.count ? pattern[index] : nil }
        let isNegated = byte(index) == UInt8(ascii: "!") || byte(index) == UInt8(ascii: "^")
        if isNegated { index += 1 }
        // What a hyphen would make a range with; nil behind a range or a class.
        var previous: UInt8?
        // A closing bracket in the first place is a member.
        var isFirst = true
        while isFirst || byte(index) != UInt8(ascii: "]") {
            isFirst = false
            guard var member = byte(index) else { return nil }
            if member == UInt8(ascii: "-"), let lower = previous, let next = byte(index + 1), next != UInt8(ascii: "]")
            {
                index += next == UInt8(ascii: "\\") ? 2 : 1
                guard let upper = byte(index) else { return nil }
                set.insert { byte in
                    byte >= lower && byte <= upper
                        || ignoresCase && byte.uppercased >= lower && byte.uppercased <= upper
                }
                previous = nil
            } else if member == UInt8(ascii: "["), byte(index + 1) == UInt8(ascii: ":"),
                let end = pattern[(index + 2)...].firstIndex(of: UInt8(ascii: "]")), end >= index + 3,
                pattern[end - 1] == UInt8(ascii: ":")
            {
                guard let condition = named(pattern[(index + 2)..<(end - 1)]) else { return nil }
                set.insert { condition($0) || ignoresCase && condition($0.uppercased) }
                index = end
                previous = nil
            } else {
                if member == UInt8(ascii: "\\") {
                    index += 1
                    guard let escaped = byte(index) else { return nil }
                    member = escaped
                }
                set.insert(member)
                previous = member
            }
            index += 1
        }
        if isNegated { set.words = ~set.words }
        // Neither components nor what a set may stand for in a path hold slashes.
        set.words[0] &= ~(1 << UInt64(UInt8(ascii: "/")))
        return (set, index + 1)
    }

    /// The members of a POSIX class, as git defines it.
    private static func named(_ name: ArraySlice<UInt8>) -> ((UInt8) -> Bool)? {
        let isPrintable: (UInt8) -> Bool = { (0x20...0x7E).contains($0) }
        let isLetter: (UInt8) -> Bool = { $0.lowercased != $0 || $0.uppercased != $0 }
        let isDigit: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
        switch String(decoding: name, as: UTF8.self) {
        case "alnum": return { isLetter($0) || isDigit($0) }
        case "alpha": return isLetter
        case "blank": return { $0 == 0x20 || $0 == 0x09 }
        case "cntrl": return { $0 < 0x20 || $0 == 0x7F }
        case "digit": return isDigit
        case "graph": return { isPrintable($0) && $0 != 0x20 }
        case "lower": return { $0.uppercased != $0 }
        case "print": return isPrintable
        case "punct": return { isPrintable($0) && $0 != 0x20 && !isLetter($0) && !isDigit($0) }
        case "space": return { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        case "upper": return { $0.lowercased != $0 }
        case "xdigit": return { isDigit($0) || (0x61...0x66).contains($0.lowercased) }
        default: return nil
        }
    }
}
