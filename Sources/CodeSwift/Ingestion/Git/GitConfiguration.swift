// The configuration variables that decide what git ignores.

import InferSupport

/// The few variables needed to find ignore rules, from git's system, user, repository and worktree configuration.
///
/// If git would refuse a file, or a value cannot be determined without running git, ``isKnown`` is false.
struct GitConfiguration {
    /// Returns the value of an environment variable.
    typealias Environment = @Sendable (String) -> String?

    static let processEnvironment: Environment = { getenv($0).map { String(cString: $0) } }

    /// `core.excludesFile`, or git's default location; nil for none. Relative to the top of the working tree.
    private(set) var excludesFile: [UInt8]?
    /// `core.ignoreCase`.
    private(set) var ignoresCase = false
    /// Size of an object name in bytes.
    private(set) var hashSize = 20
    /// Whether ``excludesFile`` and ``ignoresCase`` have the values that git would use.
    private(set) var isKnown = true

    private let environment: Environment
    private let folder: [UInt8]
    private var hasWorktreeFile = false
    private var isExcludesFileSet = false

    private static let limit = 1 << 20
    /// Git also refuses deeper includes.
    private static let maximumDepth = 10

    /// Reads the configuration of a repository.
    ///
    /// - Parameters:
    ///   - folder: The repository's folder.
    ///   - common: The folder with the files common to all its working trees.
    ///   - environment: Returns environment variables.
    init(folder: [UInt8], common: [UInt8], _ environment: @escaping Environment) {
        self.environment = environment
        self.folder = folder
        let home = environment("HOME").map { Array($0.utf8) }
        var settings = home.map { $0 + Array("/.config".utf8) }
        if let path = environment("XDG_CONFIG_HOME"), !path.isEmpty { settings = Array(path.utf8) }
        readSystem()
        if let path = environment("GIT_CONFIG_GLOBAL") {
            read(Array(path.utf8))
        } else {
            if let settings { read(settings + Array("/git/config".utf8)) }
            if let home { read(home + Array("/.gitconfig".utf8)) }
        }
        read(common + Array("/config".utf8))
        if hasWorktreeFile { read(folder + Array("/config.worktree".utf8)) }
        readEnvironment()
        if !isExcludesFileSet { excludesFile = settings.map { $0 + Array("/git/ignore".utf8) } }
    }

    private mutating func readSystem() {
        if let value = environment("GIT_CONFIG_NOSYSTEM"), Self.isTrue(Array(value.utf8)) { return }
        if let path = environment("GIT_CONFIG_SYSTEM") { return read(Array(path.utf8)) }
        read(Array("/etc/gitconfig".utf8))
        #if canImport(Darwin)
        for path in ["/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig"] { read(Array(path.utf8)) }
        #endif
    }

    /// Reads the variables that git passes in the environment, for example to hooks.
    private mutating func readEnvironment() {
        if let text = environment("GIT_CONFIG_PARAMETERS")?.lowercased() {
            if text.contains("excludesfile") || text.contains("ignorecase") || text.contains("include") {
                isKnown = false
            }
        }
        guard let text = environment("GIT_CONFIG_COUNT"), !text.isEmpty else { return }
        guard let count = Int(text), (0...1000).contains(count) else { return isKnown = false }
        for index in 0..<count {
            guard let key = environment("GIT_CONFIG_KEY_\(index)"), let value = environment("GIT_CONFIG_VALUE_\(index)")
            else { return isKnown = false }
            let name = key.lowercased()
            if name.hasPrefix("include") { isKnown = false }
            set(GitConfigurationFile.Variable(name: name, subsection: [], value: Array(value.utf8)), in: [], depth: 0)
        }
    }

    private mutating func read(_ path: [UInt8], depth: Int = 0) {
        guard depth <= Self.maximumDepth else { return isKnown = false }
        switch FileContents(at: path, limit: Self.limit) {
        case .missing: break
        case .bytes(let bytes):
            guard let file = GitConfigurationFile(bytes) else { return isKnown = false }
            for variable in file.variables { set(variable, in: path, depth: depth) }
        case .refused, .failed: isKnown = false
        }
    }

    private mutating func set(_ variable: GitConfigurationFile.Variable, in file: [UInt8], depth: Int) {
        switch variable.name {
        case "core.excludesfile" where variable.subsection.isEmpty:
            guard let value = variable.value, let path = expanded(value) else { return isKnown = false }
            excludesFile = path
            isExcludesFileSet = true
        case "core.ignorecase" where variable.subsection.isEmpty:
            ignoresCase = variable.value.map(Self.isTrue) ?? true
        case "extensions.worktreeconfig": hasWorktreeFile = variable.value.map(Self.isTrue) ?? true
        case "extensions.objectformat":
            hashSize = String(decoding: variable.value ?? [], as: UTF8.self).lowercased() == "sha256" ? 32 : 20
        case "include.path" where variable.subsection.isEmpty, "includeif.path":
            guard let value = variable.value, var path = expanded(value), !path.isEmpty else { return isKnown = false }
            if path.first != Self.slash { path = Self.parent(of: file) + path }
            if variable.name == "include.path" { return read(path, depth: depth + 1) }
            switch GitCondition(variable.subsection).holds(for: folder, in: Self.parent(of: file), expanded) {
            case true?: read(path, depth: depth + 1)
            case false?: break
            case nil: readPerhaps(path, depth: depth + 1)
            }
        default: break
        }
    }

    /// Reads a file whose include condition cannot be evaluated. The result is known only if the file makes no
    /// difference.
    private mutating func readPerhaps(_ path: [UInt8], depth: Int) {
        var other = self
        other.read(path, depth: depth)
        if !other.isKnown || other.excludesFile != excludesFile || other.ignoresCase != ignoresCase
            || other.isExcludesFileSet != isExcludesFileSet
        {
            isKnown = false
        }
    }

    private static let slash = UInt8(ascii: "/")

    private static func isTrue(_ value: [UInt8]) -> Bool {
        let text = String(decoding: value, as: UTF8.self).lowercased()
        return ["true", "yes", "on"].contains(text) || Int(text).map { $0 != 0 } ?? false
    }

    /// The folder of a file, with a trailing slash; empty if the path has no slash.
    private static func parent(of file: [UInt8]) -> [UInt8] {
        file.lastIndex(of: slash).map { Array(file[...$0]) } ?? []
    }

    /// The path with `~` replaced by the user's home folder; nil if that is unknown.
    private func expanded(_ path: [UInt8]) -> [UInt8]? {
        let optional = Array(":(optional)".utf8)
        let path = path.starts(with: optional) ? Array(path.dropFirst(optional.count)) : path
        if path.starts(with: "%(".utf8) { return nil }
        guard path.first == UInt8(ascii: "~") else { return path }
        let end = path.firstIndex(of: Self.slash) ?? path.endIndex
        let user = String(decoding: path[1..<end], as: UTF8.self)
        guard !user.isEmpty else { return environment("HOME").map { Array($0.utf8) + path[end...] } }
        guard let entry = getpwnam(user), let home = entry.pointee.pw_dir else { return nil }
        return Array(String(cString: home).utf8) + path[end...]
    }
}

/// The condition in `[includeIf "…"]`: when a file is included (git-config(1)).
struct GitCondition {
    private let keyword: String
    private let pattern: [UInt8]

    init(_ condition: [UInt8]) {
        let colon = condition.firstIndex(of: UInt8(ascii: ":")) ?? condition.endIndex
        keyword = String(decoding: condition[..<colon], as: UTF8.self)
        pattern = Array(condition[colon...].dropFirst())
    }

    /// Whether the condition holds for the repository whose folder is at `repository`; nil if that cannot be
    /// determined.
    ///
    /// - Parameters:
    ///   - repository: The repository's folder.
    ///   - folder: The folder of the configuration file, with a trailing slash.
    ///   - expanded: Replaces `~` by home folders.
    func holds(for repository: [UInt8], in folder: [UInt8], _ expanded: ([UInt8]) -> [UInt8]?) -> Bool? {
        switch keyword {
        case "gitdir", "gitdir/i":
            guard var pattern = expanded(pattern) else { return nil }
            if pattern.starts(with: "./".utf8) {
                guard let place = AbsolutePath.resolve(folder) else { return nil }
                // Only the part after the folder is a pattern.
                let prefix = place + [UInt8(ascii: "/")]
                guard keyword == "gitdir" else { return nil }
                guard repository.starts(with: prefix) else { return false }
                return Self.matches(Array(pattern.dropFirst(2)), Array(repository.dropFirst(prefix.count)), false)
            }
            if pattern.first != UInt8(ascii: "/") { pattern = Array("**/".utf8) + pattern }
            if Self.matches(pattern, repository, keyword == "gitdir/i") { return true }
            // Git also tries the path as given, which may contain links.
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
