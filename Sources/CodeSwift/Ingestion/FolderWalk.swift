// Finding the source files below a folder.

package import InferSupport

/// Walks a folder as git sees it: takes tracked and untracked files, but no ignored ones.
///
/// A nested repository is read by its own rules and those of the repositories around it. Where the rules cannot be
/// known, only tracked files are taken.
///
/// Links are never followed and only regular files are reported, so nothing outside the root is touched. Memory grows
/// with the number of files taken, not with the number skipped.
package struct FolderWalk {
    private let root: RootedFolder
    private let options: IngestionOptions
    /// The rules of the current folder; nil if git's rules are not used.
    private var rules: IgnoreRules?
    package private(set) var files: [SourceFile] = []
    package private(set) var skipped = SkipReport()

    /// Maximum depth of folders. Each level holds an open file descriptor.
    private static let maximumDepth = 64
    private static let slash = UInt8(ascii: "/")
    private static let toolFolders: Set<[UInt8]> = Set(
        [
            ".hg", ".svn", ".jj", "node_modules", "__pycache__", ".build", ".swiftpm", ".venv", ".tox",
            ".mypy_cache", ".pytest_cache", ".gradle", ".idea", "DerivedData",
        ].map { Array($0.utf8) })

    package init(_ root: RootedFolder, options: IngestionOptions) {
        self.init(root, options: options, environment: GitConfiguration.processEnvironment)
    }

    /// A walk of `root`.
    ///
    /// - Parameter environment: Gives environment variables, which determine where git's configuration is.
    package init(
        _ root: RootedFolder, options: IngestionOptions, environment: @escaping @Sendable (String) -> String?
    ) {
        self.root = root
        self.options = options
        rules = options.respectsGitIgnore ? IgnoreRules(around: root, environment) : nil
        for path in rules?.unreadable ?? [] { skipped.add(.unknown, path) }
    }

    /// Finds the files, in ascending order of their paths.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when a folder cannot be listed completely, or when the
    ///   location of the root is unknown: a part must not pass for the whole.
    package mutating func run() throws(InferenceError) {
        try rules?.requirePlace()
        try walk(root.reopen(), path: [], depth: 0)
        files.sort { $0.path.lexicographicallyPrecedes($1.path) }
    }

    /// Walks an open folder and closes it. `path` is empty or ends with a slash.
    private mutating func walk(_ folder: CInt, path: [UInt8], depth: Int) throws(InferenceError) {
        var listing = try FolderListing(folder, path: Array(root.path.utf8) + [Self.slash] + path)
        let outerRules = rules
        defer { rules = outerRules }
        enter(path)
        var folders: [[UInt8]] = []
        while let name = try listing.next() { try visit(name, in: folder, path: path, &folders) }
        for name in folders {
            guard depth < Self.maximumDepth else {
                skipped.add(.depth, path + name)
                continue
            }
            try checkCancellation()
            guard let next = try root.openFolder(name, in: folder, path: path + name) else {
                skipped.add(.unreadable, path + name)
                continue
            }
            try walk(next, path: path + name + [Self.slash], depth: depth + 1)
        }
    }

    private mutating func enter(_ path: [UInt8]) {
        rules?.enter(path)
        for path in rules?.unreadable ?? [] { skipped.add(.unknown, path) }
    }

    private mutating func visit(
        _ name: [UInt8], in folder: CInt, path: [UInt8], _ folders: inout [[UInt8]]
    ) throws(InferenceError) {
        let place = path + name
        guard let status = try root.status(name, in: folder, path: place) else {
            return skipped.add(.unreadable, place)
        }
        if status.kind == .folder {
            if Self.isGit(name) || Self.toolFolders.contains(name) {
                skipped.add(.folder, place)
            } else if let reason = reason(place, isFolder: true) {
                skipped.add(reason, place)
            } else {
                folders.append(name)
            }
        } else if let reason = Self.reason(name, status, options) ?? reason(place, isFolder: false) {
            skipped.add(reason, place)
        } else {
            files.append(SourceFile(place, status))
        }
    }

    /// The file at `path`, or why it is skipped, without git's rules. For files that are given by name.
    static func file(
        _ path: [UInt8], in root: RootedFolder, _ options: IngestionOptions
    ) throws(InferenceError) -> Result<SourceFile, Refusal> {
        let components = path.split(separator: slash).map { Array($0) }
        if components.dropLast().contains(where: isGit) { return .failure(Refusal(reason: .folder)) }
        guard let status = try root.status(path), status.kind != .folder else {
            return .failure(Refusal(reason: .unreadable))
        }
        if let reason = reason(components.last ?? [], status, options) { return .failure(Refusal(reason: reason)) }
        return .success(SourceFile(path, status))
    }

    /// The file at `path`, or why a walk would skip it.
    package mutating func find(_ path: [UInt8]) throws(InferenceError) -> Result<SourceFile, Refusal> {
        try rules?.requirePlace()
        let outerRules = rules
        defer { rules = outerRules }
        enter([])
        for (end, byte) in path.enumerated() where byte == Self.slash {
            let folder = Array(path[..<end])
            let name = folder.split(separator: Self.slash).last.map { Array($0) } ?? []
            if Self.isGit(name) || Self.toolFolders.contains(name) { return .failure(Refusal(reason: .folder)) }
            if let reason = reason(folder, isFolder: true) { return .failure(Refusal(reason: reason)) }
            enter(folder + [Self.slash])
        }
        if let reason = reason(path, isFolder: false) { return .failure(Refusal(reason: reason)) }
        return try Self.file(path, in: root, options)
    }

    /// Why a file is skipped.
    package struct Refusal: Error {
        package var reason: SkipReason
    }

    /// Why a file is skipped without opening it and without git's rules; nil if it is not.
    private static func reason(
        _ name: [UInt8], _ status: RootedFolder.Status, _ options: IngestionOptions
    ) -> SkipReason? {
        // A `.git` file contains a path of this machine.
        if isGit(name) { return .folder }
        switch status.kind {
        case .link: return .link
        case .folder, .other: return .special
        case .regular: break
        }
        if let reason = NameFilter(options).reason(name) { return reason }
        if status.size == 0 { return .empty }
        return status.size > options.maximumFileSize ? .large : nil
    }

    /// Whether a name is `.git`, in upper or lower case, as git compares it.
    private static func isGit(_ name: [UInt8]) -> Bool { name.map(\.lowercased) == Array(".git".utf8) }

    /// Why git's rules exclude a path; nil if they do not.
    private func reason(_ path: [UInt8], isFolder: Bool) -> SkipReason? {
        switch rules?.verdict(path, isFolder: isFolder) ?? .included {
        case .included: nil
        case .ignored: .ignored
        case .unknown: .unknown
        }
    }
}

/// A regular file below a root.
package struct SourceFile: Hashable, Sendable {
    /// The path relative to the root, as bytes: a name need not be valid UTF-8.
    package var path: [UInt8]
    /// Size in bytes when it was found.
    package var size: Int
    /// Time of the last modification, in nanoseconds since 1970.
    package var modified: Int
    /// The inode number, which changes when another file takes the name.
    package var inode: UInt64

    /// The file at `path` with the given status.
    init(_ path: [UInt8], _ status: RootedFolder.Status) {
        self.path = path
        size = status.size
        modified = status.modified
        inode = status.inode
    }
}
