// The rules of one .gitignore file.

/// Patterns that say which paths below a folder git leaves alone (gitignore(5)).
package struct IgnoreFile: Sendable {
    private struct Rule: Sendable {
        var pattern: GlobPattern
        /// `!`: the path is not ignored after all.
        var isNegated: Bool
        /// Trailing slash: matches folders only.
        var wantsFolder: Bool
        /// A slash elsewhere: matches the path from the file's folder on; otherwise the last component anywhere below.
        var isAnchored: Bool
    }

    private var rules: [Rule] = []

    package init(_ contents: some Collection<UInt8>) {
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            if let rule = Self.rule(Array(line)) { rules.append(rule) }
        }
    }

    var isEmpty: Bool { rules.isEmpty }

    /// What the rules say about a path relative to the file's folder; nil when they do not mention it.
    package func ignores(_ path: some BidirectionalCollection<UInt8>, isFolder: Bool) -> Bool? {
        let name = path.suffix(while: { $0 != UInt8(ascii: "/") })
        for rule in rules.reversed() where isFolder || !rule.wantsFolder {
            if rule.isAnchored ? rule.pattern.matches(path) : rule.pattern.matches(name) { return !rule.isNegated }
        }
        return nil
    }

    private static func rule(_ line: [UInt8]) -> Rule? {
        var line = line[...]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        while line.last == UInt8(ascii: " "), line.dropLast().last != UInt8(ascii: "\\") { line.removeLast() }
        guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
        let isNegated = first == UInt8(ascii: "!")
        if isNegated { line.removeFirst() }
        let wantsFolder = line.last == UInt8(ascii: "/")
        if wantsFolder { line.removeLast() }
        let isAnchored = line.contains(UInt8(ascii: "/"))
        if line.first == UInt8(ascii: "/") { line.removeFirst() }
        guard !line.isEmpty else { return nil }
        return Rule(
            pattern: GlobPattern(line), isNegated: isNegated, wantsFolder: wantsFolder, isAnchored: isAnchored)
    }
}

extension BidirectionalCollection {
    /// The longest suffix whose elements all satisfy `condition`.
    fileprivate func suffix(while condition: (Element) -> Bool) -> SubSequence {
        var start = endIndex
        while start > startIndex, condition(self[index(before: start)]) { start = index(before: start) }
        return self[start...]
    }
}
