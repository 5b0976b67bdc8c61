// Shell patterns as .gitignore files use them.

/// A pattern as git's `wildmatch` interprets it.
///
/// Matching follows all alternatives at once, so its time is at most proportional to pattern length times path length.
struct GlobPattern: Sendable {
    /// What a pattern is matched against.
    enum Subject: Sendable {
        /// One component of a path.
        case name
        /// A path: `*`, `?` and sets do not match slashes; `**` between slashes matches any number of folders.
        case path
    }

    private enum Element: Equatable, Sendable {
        case byte(UInt8)
        /// `?`: any byte except a slash.
        case any
        /// `[…]`: one byte of a set, which contains no slash.
        case set(ByteSet)
        /// `*`: any number of bytes except slashes.
        case star
        /// `**` before a slash: nothing, or anything that ends with a slash.
        case folders
        /// `**` elsewhere between slashes: anything.
        case rest
    }

    private let elements: [Element]
    /// Whether the pattern can match anything. A pattern with an unclosed bracket or a single backslash at its end
    /// cannot.
    private let isPossible: Bool
    private let ignoresCase: Bool

    init(_ pattern: some Collection<UInt8>, _ subject: Subject, ignoresCase: Bool = false) {
        let parsed = Self.parse(Array(pattern), subject, ignoresCase)
        elements = parsed ?? []
        isPossible = parsed != nil
        self.ignoresCase = ignoresCase
    }

    /// Whether the pattern matches the whole `path`.
    func matches(_ path: some Collection<UInt8>) -> Bool {
        guard isPossible else { return false }
        var active = [Bool](repeating: false, count: elements.count + 1)
        var next = active
        active[0] = true
        skipEmpty(&active, atFolder: true)
        for byte in path {
            let byte = ignoresCase ? byte.lowercased : byte
            for state in next.indices { next[state] = false }
            var isAlive = false
            for state in elements.indices where active[state] {
                for target in targets(state, byte) {
                    next[target] = true
                    isAlive = true
                }
            }
            guard isAlive else { return false }
            skipEmpty(&next, atFolder: byte == UInt8(ascii: "/"))
            swap(&active, &next)
        }
        return active[elements.count]
    }

    /// The states that `state` leads to when `byte` is read.
    private func targets(_ state: Int, _ byte: UInt8) -> Range<Int> {
        let isSlash = byte == UInt8(ascii: "/")
        switch elements[state] {
        case .byte(let expected): return byte == expected ? state + 1..<state + 2 : state..<state
        case .any: return isSlash ? state..<state : state + 1..<state + 2
        case .set(let set): return set.contains(byte) ? state + 1..<state + 2 : state..<state
        case .star: return isSlash ? state..<state : state..<state + 1
        // `skipEmpty` decides where the next element may begin: after a slash, or anywhere.
        case .folders, .rest: return state..<state + 1
        }
    }

    /// Also activates the states after elements that may match nothing.
    private func skipEmpty(_ active: inout [Bool], atFolder: Bool) {
        for (state, element) in elements.enumerated() where active[state] {
            if element == .star || element == .rest || element == .folders && atFolder { active[state + 1] = true }
        }
    }

    /// The elements; nil if the pattern matches nothing.
    private static func parse(_ pattern: [UInt8], _ subject: Subject, _ ignoresCase: Bool) -> [Element]? {
        var elements: [Element] = []
        var index = 0
        while index < pattern.count {
            let byte = pattern[index]
            switch byte {
            case UInt8(ascii: "*"):
                let start = index
                while index < pattern.count, pattern[index] == UInt8(ascii: "*") { index += 1 }
                let rest = pattern[index...]
                if subject == .name || index - start < 2 || start > 0 && pattern[start - 1] != UInt8(ascii: "/") {
                    elements.append(.star)
                } else if rest.first == UInt8(ascii: "/") {
                    elements.append(.folders)
                    index += 1
                } else {
                    elements.append(rest.isEmpty || rest.starts(with: "\\/".utf8) ? .rest : .star)
                }
            case UInt8(ascii: "?"):
                elements.append(.any)
                index += 1
            case UInt8(ascii: "["):
                guard let (set, end) = ByteSet.parse(pattern, index + 1, ignoresCase: ignoresCase) else { return nil }
                elements.append(.set(set))
                index = end
            case UInt8(ascii: "\\"):
                guard index + 1 < pattern.count else { return nil }
                // Git compares an escaped letter as it is, even if it ignores case.
                elements.append(.byte(pattern[index + 1]))
                index += 2
            default:
                elements.append(.byte(ignoresCase ? byte.lowercased : byte))
                index += 1
            }
        }
        return elements
    }
}

extension UInt8 {
    /// The lower-case letter of an ASCII capital; any other byte unchanged.
    var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }

    /// The capital of an ASCII lower-case letter; any other byte unchanged.
    var uppercased: UInt8 { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) ? self & ~0x20 : self }
}

/// A set of bytes.
struct ByteSet: Equatable, Sendable {
    private var words = SIMD4<UInt64>()

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    private mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    private mutating func insert(where condition: (UInt8) -> Bool) {
        for byte in UInt8.min...UInt8.max where condition(byte) { insert(byte) }
    }

    /// Parses the set whose bracket is before `start`. Returns the set and the index after it; nil if git does not
    /// accept it, in which case the whole pattern matches nothing. If case is ignored, the set is queried with
    /// lower-case letters.
    static func parse(_ pattern: [UInt8], _ start: Int, ignoresCase: Bool) -> (ByteSet, Int)? {
        var set = ByteSet()
        var index = start
        func byte(_ index: Int) -> UInt8? { index < pattern.count ? pattern[index] : nil }
        let isNegated = byte(index) == UInt8(ascii: "!") || byte(index) == UInt8(ascii: "^")
        if isNegated { index += 1 }
        // The lower end of a range, if a hyphen follows; nil after a range or a class.
        var previous: UInt8?
        // A closing bracket in first position is a member.
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
        // A set never matches a slash.
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
