// What git knows about the folder being walked.

import GGUF

/// The rules that apply to a folder because of the repository around it, and the files git tracks.
///
/// The rules are read from the .gitignore files and `info/exclude`, not asked of the program `git`, which need not be there;
/// the user's global excludes are not considered.
struct GitRepository {
    /// A .gitignore file above the root, and the path from its folder to the root.
    struct OuterRules {
        var rules: IgnoreFile
        /// Empty, or ending in a slash.
        var prefix: [UInt8]
    }

    /// Rules from above the root and from `info/exclude`, those that count least first.
    private(set) var outerRules: [OuterRules] = []
    private var index: GitIndex?
    /// The path from the repository's top to the root: empty, or ending in a slash.
    private var prefix: [UInt8] = []

    /// The largest file of git's own that is read.
    private static let limit = 1 << 30

    /// Looks for a repository at `root` and above. Without one there are no rules.
    init(around root: RootedFolder) {
        guard let path = AbsolutePath.resolve(root.path) else { return }
        var components = path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
        var below: [[UInt8]] = []
        while true {
            let place = "/" + components.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
            if let folder = try? RootedFolder(path: place), let git = Self.gitFolder(folder) {
                prefix = Self.joined(below)
                read(git, components, below)
                return
            }
            guard let last = components.popLast() else { return }
            below.insert(last, at: 0)
        }
    }

    /// Whether git tracks the file at `path` below the root.
    func tracks(_ path: [UInt8]) -> Bool { index?.contains(prefix + path) ?? false }

    /// Whether git tracks a file in the folder at `path` below the root.
    func tracksFiles(below path: [UInt8]) -> Bool { index?.containsFiles(below: prefix + path) ?? false }

    private mutating func read(_ git: RootedFolder, _ top: [[UInt8]], _ below: [[UInt8]]) {
        index = git.read(Array("index".utf8), limit: Self.limit).flatMap { GitIndex($0) }
        if let rules = git.read(Array("info/exclude".utf8), limit: Self.limit) {
            outerRules.append(OuterRules(rules: IgnoreFile(rules), prefix: prefix))
        }
        // Those in the root itself are found by walking.
        for depth in below.indices {
            let components = top + below[..<depth]
            let place = "/" + components.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
            guard let folder = try? RootedFolder(path: place),
                let rules = folder.read(Array(".gitignore".utf8), limit: Self.limit)
            else { continue }
            outerRules.append(OuterRules(rules: IgnoreFile(rules), prefix: Self.joined(below[depth...])))
        }
    }

    /// The folder with the index of the repository whose top is `folder`: `.git`, or where a file of that name points.
    private static func gitFolder(_ folder: RootedFolder) -> RootedFolder? {
        let name = Array(".git".utf8)
        switch folder.status(name)?.kind {
        case .folder: return try? RootedFolder(path: folder.path + "/.git")
        case .regular:
            guard let contents = folder.read(name, limit: 4096) else { return nil }
            let line = String(decoding: contents, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
            guard line.hasPrefix("gitdir: ") else { return nil }
            let target = line.dropFirst("gitdir: ".count)
            return try? RootedFolder(path: target.hasPrefix("/") ? String(target) : "\(folder.path)/\(target)")
        default: return nil
        }
    }

    private static func joined(_ components: some Sequence<[UInt8]>) -> [UInt8] {
        components.flatMap { $0 + [UInt8(ascii: "/")] }
    }
}
