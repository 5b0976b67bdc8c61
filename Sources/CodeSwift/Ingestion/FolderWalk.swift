// Finding the files below a root.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Walks a folder as git sees it: tracked and untracked files, not ignored ones.
///
/// Links are never followed and only regular files are reported, so nothing outside the root is touched. Memory grows
/// with the files that may be taken, not with those passed over.
package struct FolderWalk {
    private let root: RootedFolder
    private let options: IngestionOptions
    private let repository: GitRepository?
    /// .gitignore files on the way to the current folder, with the length of their folder's path.
    private var rules: [(file: IgnoreFile, depth: Int)] = []
    /// Whether the walk is in an ignored folder, for the sake of the files git tracks there.
    private var isInIgnoredFolder = false
    package private(set) var files: [SourceFile] = []
    package private(set) var skipped = SkipReport()

    /// Levels of folders that are followed; each holds a descriptor open.
    private static let maximumDepth = 64
    private static let slash = UInt8(ascii: "/")
    private static let toolFolders: Set<[UInt8]> = Set(
        [
            ".git", ".hg", ".svn", ".jj", "node_modules", "__pycache__", ".build", ".swiftpm", ".venv", ".tox",
            ".mypy_cache", ".pytest_cache", ".gradle", ".idea", "DerivedData",
        ].map { Array($0.utf8) })

    package init(_ root: RootedFolder, options: IngestionOptions) {
        self.root = root
        self.options = options
        repository = options.respectsGitIgnore ? GitRepository(around: root) : nil
    }

    /// Finds the files, in ascending order of their paths.
    package mutating func run() {
        let descriptor = dup(root.descriptor)
        guard descriptor >= 0 else { return }
        walk(descriptor, path: [], depth: 0)
        files.sort { $0.path.lexicographicallyPrecedes($1.path) }
    }

    /// Walks an open folder and closes it. `path` is empty or ends in a slash.
    private mutating func walk(_ folder: CInt, path: [UInt8], depth: Int) {
        guard let stream = fdopendir(folder) else {
            close(folder)
            return skipped.add(.unreadable, path)
        }
        defer { closedir(stream) }
        // A copy of the root's descriptor shares its place in the folder.
        rewinddir(stream)
        let ruleCount = rules.count
        if options.respectsGitIgnore, let contents = root.read(path + Array(".gitignore".utf8), limit: 1 << 20) {
            rules.append((IgnoreFile(contents), path.count))
        }
        var folders: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                let text = UnsafeRawPointer(pointer)
                let count = strlen(text.assumingMemoryBound(to: CChar.self))
                return Array(UnsafeRawBufferPointer(start: text, count: count))
            }
            guard name != Array(".".utf8), name != Array("..".utf8) else { continue }
            visit(name, in: folder, path: path, &folders)
        }
        for name in folders {
            guard depth < Self.maximumDepth else {
                skipped.add(.depth, path + name)
                continue
            }
            let next = RootedFolder.openFolder(name, in: folder)
            guard next >= 0 else {
                skipped.add(.unreadable, path + name)
                continue
            }
            let wasInIgnoredFolder = isInIgnoredFolder
            isInIgnoredFolder = isIgnored(path + name, isFolder: true)
            walk(next, path: path + name + [Self.slash], depth: depth + 1)
            isInIgnoredFolder = wasInIgnoredFolder
        }
        rules.removeLast(rules.count - ruleCount)
    }

    private mutating func visit(_ name: [UInt8], in folder: CInt, path: [UInt8], _ folders: inout [[UInt8]]) {
        let place = path + name
        guard let status = RootedFolder.status(name, in: folder) else { return skipped.add(.unreadable, place) }
        if status.kind == .folder {
            if Self.toolFolders.contains(name) {
                skipped.add(.folder, place)
            } else if isIgnored(place, isFolder: true), repository?.tracksFiles(below: place) != true {
                skipped.add(.ignored, place)
            } else {
                folders.append(name)
            }
        } else if let reason = Self.reason(name, status, options) {
            skipped.add(reason, place)
        } else if isIgnored(place, isFolder: false), repository?.tracks(place) != true {
            skipped.add(.ignored, place)
        } else {
            files.append(SourceFile(place, status))
        }
    }

    /// The file at `path`, or why it is passed over; for files that are not found by walking.
    static func file(_ path: [UInt8], in root: RootedFolder, _ options: IngestionOptions) -> Result<SourceFile, Refusal>
    {
        guard let status = root.status(path), status.kind != .folder else {
            return .failure(Refusal(reason: .unreadable))
        }
        let name = path.split(separator: slash).last.map { Array($0) } ?? []
        if let reason = reason(name, status, options) { return .failure(Refusal(reason: reason)) }
        return .success(SourceFile(path, status))
    }

    /// That a file is passed over.
    struct Refusal: Error {
        var reason: SkipReason
    }

    /// Why a file is passed over unread, git aside; nil when it is not.
    private static func reason(
        _ name: [UInt8], _ status: RootedFolder.Status, _ options: IngestionOptions
    ) -> SkipReason? {
        switch status.kind {
        case .link: return .link
        case .folder, .other: return .special
        case .regular: break
        }
        if let reason = NameFilter(options).reason(name) { return reason }
        if status.size == 0 { return .empty }
        return status.size > options.maximumFileSize ? .large : nil
    }

    /// Whether the rules nearest to `path` that mention it, or the folder it lies in, exclude it.
    private func isIgnored(_ path: [UInt8], isFolder: Bool) -> Bool {
        guard let repository else { return false }
        if isInIgnoredFolder { return true }
        for (file, depth) in rules.reversed() {
            if let verdict = file.ignores(path[depth...], isFolder: isFolder) { return verdict }
        }
        for outer in repository.outerRules.reversed() {
            if let verdict = outer.rules.ignores(outer.prefix + path, isFolder: isFolder) { return verdict }
        }
        return false
    }
}
