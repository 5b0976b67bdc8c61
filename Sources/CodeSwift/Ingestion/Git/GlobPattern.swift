// Shell patterns as .gitignore files use them.

/// A pattern as git's `wildmatch` reads it.
///
/// Matching simulates all ways at once, so that its time is bounded by pattern times path, whatever the pattern.
struct GlobPattern: Sendable {
    /// What a pattern is held against.
    enum Subject: Sendable {
        /// One component of a path.
        case name
        /// A path: `*`, `?` and sets stop at slashes, `**` between slashes stands for any folders.
        case path
    }

    private enum Element: Equatable, Sendable {
        case byte(UInt8)
        /// `?`: one byte that is no slash.
        case any
        /// `[…]`: one byte of a set, which holds no slash.
        case set(ByteSet)
        /// `*`: any bytes but slashes.
        case star
        /// `**` before a slash: nothing, or anything that ends in a slash.
        case folders
        /// `**` elsewhere between slashes: anything.
        case rest
    }

    private let elements: [Element]
    /// Whether the pattern can match at all; one with an open bracket or a lone backslash at its end cannot.
    private let isPossible: Bool
    private let ignoresCase: Bool

    init(_ pattern: some Collection<UInt8>, _ subject: Subject, ignoresCase: Bool = false) {
        let parsed = Self.parse(Array(pattern), subject, ignoresCase)
        elements = parsed ?? []
        isPossible = parsed != nil
        self.ignoresCase = ignoresCase
    }

    /// Whether the pattern stands for all of `path`.
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

    /// Where reading `byte` leads from `state`.
    private func targets(_ state: Int, _ byte: UInt8) -> Range<Int> {
        let isSlash = byte == UInt8(ascii: "/")
        switch elements[state] {
        case .byte(let expected): return byte == expected ? state + 1..<state + 2 : state..<state
        case .any: return isSlash ? state..<state : state + 1..<state + 2
        case .set(let set): return set.contains(byte) ? state + 1..<state + 2 : state..<state
        case .star: return isSlash ? state..<state : state..<state + 1
        // What follows begins only behind a slash, or anywhere, which `skipEmpty` sees to.
        case .folders, .rest: return state..<state + 1
        }
    }

    /// Moves on over elements that may stand for nothing.
    private func skipEmpty(_ active: inout [Bool], atFolder: Bool) {
        for (state, element) in elements.enumerated() where active[state] {
            if element == .star || element == .rest || element == .folders && atFolder { active[state + 1] = true }
        }
    }

    /// The elements; nil when the pattern matches nothing.
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
                // Git compares an escaped letter as it is, even where case does not count.
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
    /// An ASCII capital as a small letter; other bytes as they are.
    var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }

    /// An ASCII small letter as a capital; other bytes as they are.
    var uppercased: UInt8 { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) ? self & ~0x20 : self }
}
