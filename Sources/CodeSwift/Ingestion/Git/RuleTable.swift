// Rules that are looked up by text.

/// For each of many texts the last rule that has it.
struct RuleTable: Sendable {
    /// The last rule for anything, and the last for folders only.
    private struct Last: Sendable {
        var any = -1
        var folder = -1
    }

    private var rules: [[UInt8]: Last] = [:]
    /// Lengths of the texts.
    private var lengths: Set<Int> = []

    /// Adds a rule with a higher number than those before.
    mutating func add(_ text: [UInt8], _ rule: Int, _ wantsFolder: Bool) {
        lengths.insert(text.count)
        if wantsFolder { rules[text, default: Last()].folder = rule } else { rules[text, default: Last()].any = rule }
    }

    /// The last rule for `text`; -1 when there is none.
    func last(_ text: ArraySlice<UInt8>, _ isFolder: Bool) -> Int {
        guard lengths.contains(text.count), let last = rules[Array(text)] else { return -1 }
        return isFolder ? max(last.any, last.folder) : last.any
    }

    /// The last rule for a text that `name` begins with; -1 when there is none.
    func last(beginning name: ArraySlice<UInt8>, _ isFolder: Bool) -> Int {
        guard !rules.isEmpty else { return -1 }
        return (0...name.count).reduce(-1) { max($0, last(name.prefix($1), isFolder)) }
    }

    /// The last rule for a text that `name` ends in; -1 when there is none.
    func last(ending name: ArraySlice<UInt8>, _ isFolder: Bool) -> Int {
        guard !rules.isEmpty else { return -1 }
        return (0...name.count).reduce(-1) { max($0, last(name.suffix($1), isFolder)) }
    }
}
