// Conditions of `includeIf`.

/// What stands in quotes in `[includeIf "…"]`: when a file is included (git-config(1)).
struct GitCondition {
    private let keyword: String
    private let pattern: [UInt8]

    init(_ condition: [UInt8]) {
        let colon = condition.firstIndex(of: UInt8(ascii: ":")) ?? condition.endIndex
        keyword = String(decoding: condition[..<colon], as: UTF8.self)
        pattern = Array(condition[colon...].dropFirst())
    }

    /// Whether it holds for the repository whose folder is at `repository`; nil when that cannot be told.
    ///
    /// - Parameters:
    ///   - folder: Where the configuration file lies, ending in a slash.
    ///   - expanded: Puts home folders in the place of `~`.
    func holds(for repository: [UInt8], in folder: [UInt8], _ expanded: ([UInt8]) -> [UInt8]?) -> Bool? {
        switch keyword {
        case "gitdir", "gitdir/i":
            guard var pattern = expanded(pattern) else { return nil }
            if pattern.starts(with: "./".utf8) {
                guard let place = AbsolutePath.resolve(folder) else { return nil }
                // Only the part behind the folder is a pattern.
                let prefix = place + [UInt8(ascii: "/")]
                guard keyword == "gitdir" else { return nil }
                guard repository.starts(with: prefix) else { return false }
                return Self.matches(Array(pattern.dropFirst(2)), Array(repository.dropFirst(prefix.count)), false)
            }
            if pattern.first != UInt8(ascii: "/") { pattern = Array("**/".utf8) + pattern }
            if Self.matches(pattern, repository, keyword == "gitdir/i") { return true }
            // Git tries the path as it was typed as well, which may lead over links.
            return pattern.starts(with: "**/".utf8) || AbsolutePath.isFree(ofLinks: pattern) ? false : nil
        case "onbranch":
            guard case .bytes(let head) = FileContents(at: repository + Array("/HEAD".utf8), limit: 1 << 16) else {
                return nil
            }
            let start = Array("ref: refs/heads/".utf8)
            guard head.starts(with: start) else { return false }
            return Self.matches(pattern, head.dropFirst(start.count).filter { $0 != UInt8(ascii: "\n") }, false)
        default: return nil
        }
    }

    private static func matches(_ pattern: [UInt8], _ text: [UInt8], _ ignoresCase: Bool) -> Bool {
        let pattern = pattern.last == UInt8(ascii: "/") ? pattern + Array("**".utf8) : pattern
        return GlobPattern(pattern, .path, ignoresCase: ignoresCase).matches(text)
    }
}
