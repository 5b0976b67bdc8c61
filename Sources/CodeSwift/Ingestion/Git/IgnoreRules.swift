// All ignore rules that apply in one folder.

import InferSupport

/// Git's verdict on the paths in a folder, from the repository around it and from those around that.
///
/// A value type: copy it before entering a folder to restore the rules afterwards.
struct IgnoreRules {
    /// The verdict on a path, from lenient to strict.
    enum Verdict: Int, Comparable {
        case included
        /// A rule ignores it.
        case ignored
        /// Some rules cannot be known.
        case unknown

        static func < (one: Verdict, other: Verdict) -> Bool { one.rawValue < other.rawValue }
    }

    /// Rules and the folder they are relative to: above the root by the path `prefix`, or below it by `depth` bytes of
    /// path.
    private struct Placed {
        /// Nil if they cannot be known.
        var rules: IgnoreFile?
        var prefix: [UInt8] = []
        var depth = 0

        /// `path`, which is relative to the root, relative to the rules' folder.
        func path(_ path: [UInt8]) -> ArraySlice<UInt8> { prefix.isEmpty ? path[depth...] : (prefix + path)[...] }

        /// The path, relative to the rules' folder, of a folder above the root: the first `end` bytes of `way`, the
        /// path from the top to the root.
        func path(upTo end: Int, of way: [UInt8]) -> ArraySlice<UInt8> { way[(way.count - prefix.count)..<end] }
    }

    /// A repository and its rules on the way to the current folder, lowest priority first.
    private struct Scope {
        var repository: GitRepository
        var top: Placed
        var rules: [Placed] = []
        /// The verdict on the current folder, which applies to its untracked files.
        var folder = Verdict.included
        /// Total size of the patterns that are tested one by one, in bytes.
        var globSize = 0

        init(_ repository: GitRepository, _ top: Placed) {
            self.repository = repository
            self.top = top
            for rules in repository.rules {
                add(Placed(rules: rules, prefix: top.prefix, depth: top.depth))
            }
        }

        /// Adds rules. If testing them on every path would take too long, they count as unknown.
        mutating func add(_ placed: Placed) {
            var placed = placed
            globSize += placed.rules?.globSize ?? 0
            if globSize > IgnoreRules.largestGlobSize { placed.rules = nil }
            if placed.rules?.isEmpty != true { rules.append(placed) }
        }

        func verdict(isFolder: Bool, _ path: (Placed) -> ArraySlice<UInt8>) -> Verdict {
            if folder != .included { return folder }
            for placed in rules.reversed() {
                guard let rules = placed.rules else { return .unknown }
                if let isIgnored = rules.ignores(path(placed), isFolder: isFolder) {
                    return isIgnored ? .ignored : .included
                }
            }
            return .included
        }
    }

    private let root: RootedFolder
    private let environment: GitConfiguration.Environment
    private var scopes: [Scope] = []
    /// The absolute path of the root; nil if it cannot be determined.
    private let rootPath: [UInt8]?
    /// Git's own files that could not be read or understood, in the repository that was added last.
    private(set) var unreadable: [[UInt8]] = []

    /// A few thousand patterns. Lists of names do not count.
    private static let largestGlobSize = 1 << 16
    private static let slash = UInt8(ascii: "/")

    /// The rules of the nearest repository at or above `root`; none if there is no repository.
    init(around root: RootedFolder, _ environment: @escaping GitConfiguration.Environment) {
        self.root = root
        self.environment = environment
        rootPath = AbsolutePath.resolve(Array(root.path.utf8)).flatMap { root.isFolder(at: $0) ? $0 : nil }
        guard let rootPath else { return }
        var found: (repository: GitRepository, top: [UInt8])?
        var top = rootPath == [Self.slash] ? [] : rootPath
        while true {
            if let repository = GitRepository(top: top, environment), found == nil || repository.isComplete {
                found = (repository, top)
                if repository.isComplete { break }
            }
            guard let end = top.lastIndex(of: Self.slash) else { break }
            top.removeSubrange(end...)
        }
        if let found { add(found.repository, above: found.top, rootPath) }
    }

    /// Throws if the location of the root is unknown, because then an unknown repository may be around it.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`.
    func requirePlace() throws(InferenceError) {
        if rootPath == nil {
            throw InferenceError(.unreadableFile, "cannot tell where the folder \(root.path.printable) lies")
        }
    }

    private mutating func add(_ repository: GitRepository, above top: [UInt8], _ rootPath: [UInt8]) {
        unreadable = repository.unreadable
        let rest = rootPath.count > top.count + 1 ? Array(rootPath[(top.count + 1)...]) + [Self.slash] : []
        scopes.append(Scope(repository, Placed(prefix: rest)))
        // The rules in the root itself are added when it is entered.
        var start = 0
        while let end = rest[start...].firstIndex(of: Self.slash) {
            let folder = top + [Self.slash] + rest[..<start]
            let file = FileContents(
                at: folder + Array(".gitignore".utf8), limit: GitRepository.largestRules, followsLinks: false)
            add(file, Placed(prefix: Array(rest[start...])), Array(rest[..<start]))
            // A root inside an ignored folder is ignored.
            if let scope = scopes.indices.last {
                scopes[scope].folder = scopes[scope].verdict(isFolder: true) { $0.path(upTo: end, of: rest) }
            }
            start = end + 1
        }
    }

    /// Adds the rules of the folder at `path`, empty or with a trailing slash: its own repository and its .gitignore
    /// file.
    ///
    /// Everything in the folder has the folder's verdict, unless git tracks it.
    mutating func enter(_ path: [UInt8]) {
        unreadable = []
        if !path.isEmpty {
            for index in scopes.indices {
                scopes[index].folder = scopes[index].verdict(isFolder: true) { $0.path(Array(path.dropLast())) }
            }
            if let rootPath,
                let repository = GitRepository(
                    top: (rootPath == [Self.slash] ? [] : rootPath) + [Self.slash] + path.dropLast(), environment),
                repository.isComplete || scopes.isEmpty
            {
                unreadable = repository.unreadable
                scopes.append(Scope(repository, Placed(depth: path.count)))
            }
        }
        guard let scope = scopes.last else { return }
        let file = root.contents(path + Array(".gitignore".utf8), limit: GitRepository.largestRules)
        add(file, Placed(depth: path.count), Array(scope.top.path(path)))
    }

    /// Adds the .gitignore file of a folder. `path` is the folder's path below the top of the repository.
    private mutating func add(_ file: FileContents, _ place: Placed, _ path: [UInt8]) {
        guard let last = scopes.indices.last else { return }
        var place = place
        switch file {
        case .bytes(let bytes): place.rules = IgnoreFile(bytes, ignoresCase: scopes[last].repository.ignoresCase)
        case .missing:
            if !scopes[last].repository.holdsRules(of: path) { place.rules = IgnoreFile([]) }
        case .refused, .failed: break
        }
        scopes[last].add(place)
    }

    /// The verdict on a path. A file that the nearest repository tracks is included; any other file is included if all
    /// repositories include it.
    func verdict(_ path: [UInt8], isFolder: Bool) -> Verdict {
        let verdict = scopes.reduce(.included) { max($0, $1.verdict(isFolder: isFolder) { $0.path(path) }) }
        guard verdict != .included, let scope = scopes.last else { return verdict }
        let place = Array(scope.top.path(path))
        let isTracked = isFolder ? scope.repository.tracksFiles(below: place) : scope.repository.tracks(place)
        return isTracked ? .included : verdict
    }
}
