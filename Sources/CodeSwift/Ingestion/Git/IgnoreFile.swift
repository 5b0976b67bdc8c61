// The rules of one .gitignore file.

/// Patterns for the paths below a folder that git ignores (gitignore(5)).
///
/// Most rules are names, paths, prefixes or suffixes of names, and are found by look-up. Only the other rules are
/// tested one by one, so a long list of names costs no more than a short one.
package struct IgnoreFile: Sendable {
    private struct Rule: Sendable {
        /// `!`: matching paths are not ignored.
        var isNegated: Bool
        /// Trailing slash: matches folders only.
        var wantsFolder: Bool
        /// A slash elsewhere: matches the path relative to the file's folder; otherwise the last component at any
        /// depth.
        var isAnchored: Bool
    }

    /// A rule that cannot be found by look-up.
    private struct Glob: Sendable {
        var rule: Int
        /// The part before the first wildcard. Git compares it first and treats the rest as a separate pattern.
        var beginning: [UInt8]
        var rest: GlobPattern
    }

    private var rules: [Rule] = []
    private var names = RuleTable()
    private var paths = RuleTable()
    private var beginnings = RuleTable()
    private var endings = RuleTable()
    private var globs: [Glob] = []
    private let ignoresCase: Bool
    /// Total size of the patterns that are tested one by one, in bytes.
    private(set) var globSize = 0

    var isEmpty: Bool { rules.isEmpty }

    package init(_ contents: some Collection<UInt8>, ignoresCase: Bool = false) {
        self.ignoresCase = ignoresCase
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        for line in contents.dropFirst(contents.starts(with: mark) ? 3 : 0).split(separator: UInt8(ascii: "\n")) {
            add(Array(line))
        }
    }

    /// Whether a path relative to the file's folder is ignored; nil if no rule matches.
    package func ignores(_ path: some BidirectionalCollection<UInt8>, isFolder: Bool) -> Bool? {
        guard !rules.isEmpty else { return nil }
        let path = path.map { ignoresCase ? $0.lowercased : $0 }
        let name = path[(path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]
        // The last matching rule decides.
        var last = max(
            names.last(name, isFolder), paths.last(path[...], isFolder), beginnings.last(beginning: name, isFolder),
            endings.last(ending: name, isFolder))
        for glob in globs.reversed() {
            guard glob.rule > last else { break }
            let rule = rules[glob.rule]
            let subject = rule.isAnchored ? path[...] : name
            if isFolder || !rule.wantsFolder, subject.starts(with: glob.beginning),
                glob.rest.matches(subject.dropFirst(glob.beginning.count))
            {
                last = glob.rule
                break
            }
        }
        return last >= 0 ? !rules[last].isNegated : nil
    }

    private mutating func add(_ line: [UInt8]) {
        var line = line[...]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        // Git treats lines as C strings.
        line = line.prefix { $0 != 0 }
        guard line.first != UInt8(ascii: "#") else { return }
        line = Self.withoutTrailingSpaces(line)
        let isNegated = line.first == UInt8(ascii: "!")
        if isNegated { line.removeFirst() }
        let wantsFolder = line.last == UInt8(ascii: "/")
        if wantsFolder { line.removeLast() }
        let isAnchored = line.contains(UInt8(ascii: "/"))
        if line.first == UInt8(ascii: "/") { line.removeFirst() }
        guard !line.isEmpty else { return }
        rules.append(Rule(isNegated: isNegated, wantsFolder: wantsFolder, isAnchored: isAnchored))
        add(line, isAnchored: isAnchored, wantsFolder)
    }

    /// Adds the pattern of the latest rule to the table where it will be found.
    private mutating func add(_ pattern: ArraySlice<UInt8>, isAnchored: Bool, _ wantsFolder: Bool) {
        let rule = rules.count - 1
        let beginning = pattern.prefix { !Self.isSpecial($0) }.map { ignoresCase ? $0.lowercased : $0 }
        let rest = pattern.dropFirst(beginning.count)
        let star = [UInt8(ascii: "*")]
        if rest.isEmpty {
            if isAnchored { paths.add(beginning, rule, wantsFolder) } else { names.add(beginning, rule, wantsFolder) }
        } else if !isAnchored, rest.elementsEqual(star) {
            beginnings.add(beginning, rule, wantsFolder)
        } else if !isAnchored, beginning.isEmpty, rest.starts(with: star),
            !rest.dropFirst().contains(where: Self.isSpecial)
        {
            endings.add(rest.dropFirst().map { ignoresCase ? $0.lowercased : $0 }, rule, wantsFolder)
        } else {
            let glob = GlobPattern(rest, isAnchored ? .path : .name, ignoresCase: ignoresCase)
            globs.append(Glob(rule: rule, beginning: beginning, rest: glob))
            globSize += pattern.count
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\"): true
        default: false
        }
    }

    /// The line without its trailing spaces, except those that a backslash escapes. Unchanged if the last byte is a
    /// backslash.
    private static func withoutTrailingSpaces(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            let isEscape = line[index] == UInt8(ascii: "\\")
            if isEscape, index + 1 == line.endIndex { return line }
            index += isEscape ? 2 : 1
            if isEscape || line[index - 1] != UInt8(ascii: " ") { end = index }
        }
        return line[..<end]
    }
}

/// A table from a text to the last rule with this text.
struct RuleTable: Sendable {
    /// The last rule for any file, and the last for folders only.
    private struct Last: Sendable {
        var any = -1
        var folder = -1
    }

    private var rules: [[UInt8]: Last] = [:]
    /// Lengths of the texts.
    private var lengths: Set<Int> = []

    /// Adds a rule. Its number must be higher than those of the rules before.
    mutating func add(_ text: [UInt8], _ rule: Int, _ wantsFolder: Bool) {
        lengths.insert(text.count)
        if wantsFolder { rules[text, default: Last()].folder = rule } else { rules[text, default: Last()].any = rule }
    }

    /// The last rule for `text`; −1 if there is none.
    func last(_ text: ArraySlice<UInt8>, _ isFolder: Bool) -> Int {
        guard lengths.contains(text.count), let last = rules[Array(text)] else { return -1 }
        return isFolder ? max(last.any, last.folder) : last.any
    }

    /// The last rule for a prefix of `name`; −1 if there is none.
    func last(beginning name: ArraySlice<UInt8>, _ isFolder: Bool) -> Int {
        guard !rules.isEmpty else { return -1 }
        return (0...name.count).reduce(-1) { max($0, last(name.prefix($1), isFolder)) }
    }

    /// The last rule for a suffix of `name`; −1 if there is none.
    func last(ending name: ArraySlice<UInt8>, _ isFolder: Bool) -> Int {
        guard !rules.isEmpty else { return -1 }
        return (0...name.count).reduce(-1) { max($0, last(name.suffix($1), isFolder)) }
    }
}
