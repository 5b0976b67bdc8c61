// Shell patterns as .gitignore files use them.

/// A pattern over paths: `*` and `?` stop at slashes, `**` between slashes stands for any folders.
///
/// Matching simulates all ways at once, so that its time is bounded by pattern times path, whatever the pattern.
struct GlobPattern: Sendable {
    private enum Element: Equatable, Sendable {
        case byte(UInt8)
        /// `?`: one byte that is no slash.
        case any
        /// `[…]`: one byte out of ranges, or of none of them; never a slash.
        case set([ClosedRange<UInt8>], isNegated: Bool)
        /// `*`: any bytes but slashes.
        case star
        /// `**` before a slash: nothing, or anything that ends in a slash.
        case folders
        /// `**` at the end: anything.
        case rest
    }

    private let elements: [Element]
    /// The pattern's bytes when it has no wildcards.
    private let literal: [UInt8]?

    init(_ pattern: some Collection<UInt8>) {
        elements = Self.parse(Array(pattern))
        literal = elements.reduce(into: []) { literal, element in
            if case .byte(let byte) = element { literal?.append(byte) } else { literal = nil }
        }
    }

    /// Whether the pattern stands for all of `path`.
    func matches(_ path: some Collection<UInt8>) -> Bool {
        if let literal { return literal.elementsEqual(path) }
        var active = [Bool](repeating: false, count: elements.count + 1)
        active[0] = true
        skipEmpty(&active, atFolder: true)
        for byte in path {
            var next = [Bool](repeating: false, count: active.count)
            var isAlive = false
            for state in elements.indices where active[state] {
                for target in targets(state, byte) {
                    next[target] = true
                    isAlive = true
                }
            }
            guard isAlive else { return false }
            skipEmpty(&next, atFolder: byte == UInt8(ascii: "/"))
            active = next
        }
        return active[elements.count]
    }

    /// Where reading `byte` leads from `state`.
    private func targets(_ state: Int, _ byte: UInt8) -> Range<Int> {
        let isSlash = byte == UInt8(ascii: "/")
        switch elements[state] {
        case .byte(let expected): return byte == expected ? state + 1..<state + 2 : state..<state
        case .any: return isSlash ? state..<state : state + 1..<state + 2
        case .set(let ranges, let isNegated):
            let isMember = ranges.contains { $0.contains(byte) }
            return !isSlash && isMember != isNegated ? state + 1..<state + 2 : state..<state
        case .star: return isSlash ? state..<state : state..<state + 1
        // What follows begins only behind a slash, which `skipEmpty` sees to.
        case .folders: return state..<state + 1
        case .rest: return state..<state + 2
        }
    }

    /// Moves on over elements that may stand for nothing.
    private func skipEmpty(_ active: inout [Bool], atFolder: Bool) {
        for (state, element) in elements.enumerated() where active[state] {
            if element == .star || (element == .folders && atFolder) { active[state + 1] = true }
        }
    }

    private static func parse(_ pattern: [UInt8]) -> [Element] {
        var elements: [Element] = []
        var index = 0
        // Where one bracket is never closed, none behind it is; looking each time would take the square of the length.
        var canClose = true
        while index < pattern.count {
            switch pattern[index] {
            case UInt8(ascii: "*"):
                let start = index
                while index < pattern.count, pattern[index] == UInt8(ascii: "*") { index += 1 }
                let startsFolder = start == 0 || pattern[start - 1] == UInt8(ascii: "/")
                if index - start >= 2, startsFolder, index == pattern.count {
                    elements.append(.rest)
                } else if index - start >= 2, startsFolder, pattern[index] == UInt8(ascii: "/") {
                    elements.append(.folders)
                    index += 1
                } else {
                    elements.append(.star)
                }
            case UInt8(ascii: "?"):
                elements.append(.any)
                index += 1
            case UInt8(ascii: "[") where canClose:
                let (set, end) = parseSet(pattern, index + 1)
                canClose = set != nil
                elements.append(set ?? .byte(UInt8(ascii: "[")))
                index = set == nil ? index + 1 : end
            case UInt8(ascii: "\\") where index + 1 < pattern.count:
                elements.append(.byte(pattern[index + 1]))
                index += 2
            default:
                elements.append(.byte(pattern[index]))
                index += 1
            }
        }
        return elements
    }

    /// The set that begins after its bracket at `start`, and the index after it; nil when the bracket is never closed.
    private static func parseSet(_ pattern: [UInt8], _ start: Int) -> (Element?, Int) {
        var index = start
        var ranges: [ClosedRange<UInt8>] = []
        let isNegated =
            index < pattern.count && (pattern[index] == UInt8(ascii: "!") || pattern[index] == UInt8(ascii: "^"))
        if isNegated { index += 1 }
        let first = index
        func member() -> UInt8? {
            if index < pattern.count, pattern[index] == UInt8(ascii: "\\") { index += 1 }
            defer { index += 1 }
            return index < pattern.count ? pattern[index] : nil
        }
        // A closing bracket in the first place is a member.
        while index < pattern.count, index == first || pattern[index] != UInt8(ascii: "]") {
            guard let lower = member() else { return (nil, index) }
            if index + 1 < pattern.count, pattern[index] == UInt8(ascii: "-"), pattern[index + 1] != UInt8(ascii: "]") {
                index += 1
                guard let upper = member() else { return (nil, index) }
                if lower <= upper { ranges.append(lower...upper) }
            } else {
                ranges.append(lower...lower)
            }
        }
        guard index < pattern.count else { return (nil, index) }
        return (.set(ranges, isNegated: isNegated), index + 1)
    }
}
