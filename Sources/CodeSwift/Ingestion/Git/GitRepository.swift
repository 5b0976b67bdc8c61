// One git repository: its folders, its index, and its rules outside .gitignore files.

import InferSupport

/// A repository, identified by the `.git` entry at the top of its working tree.
///
/// It is read from git's files; the `git` program is not needed.
struct GitRepository {
    /// Whether git accepts it as a repository. A `.git` folder without a HEAD is not one.
    let isComplete: Bool
    /// The rules of `core.excludesFile` and `info/exclude`, lowest priority first; nil for rules that cannot be known.
    private(set) var rules: [IgnoreFile?] = []
    /// `core.ignoreCase`.
    private(set) var ignoresCase = false
    /// The paths of git's own files that cannot be read or understood.
    private(set) var unreadable: [[UInt8]] = []
    private var index: GitIndex?

    /// Maximum size of an index, in bytes.
    private static let largestIndex = 1 << 30
    /// Maximum size of any other file, in bytes.
    static let largestRules = 1 << 20

    /// The repository whose top is the folder at the absolute path `top`; nil if there is none.
    init?(top: [UInt8], _ environment: @escaping GitConfiguration.Environment) {
        let place = Self.joined(top, ".git")
        var status = stat()
        let found = Self.withPath(place) { stat($0, &status) }
        if found != 0, [ENOENT, ENOTDIR].contains(errno) { return nil }
        var folder: [UInt8]?
        switch status.st_mode & S_IFMT {
        case S_IFDIR where found == 0: folder = AbsolutePath.resolve(place)
        case S_IFREG where found == 0: folder = Self.target(of: place, top)
        // Git ignores a `.git` entry of another type.
        case _ where found == 0: return nil
        default: break
        }
        guard let folder, let common = Self.commonFolder(of: folder) else {
            // Git stops here: the rules are elsewhere and cannot be known.
            isComplete = true
            rules = [nil]
            unreadable = [place]
            return
        }
        isComplete =
            Self.exists(Self.joined(folder, "HEAD")) && Self.exists(Self.joined(common, "objects"))
            && Self.exists(Self.joined(common, "refs"))
        let configuration = GitConfiguration(folder: folder, common: common, environment)
        ignoresCase = configuration.ignoresCase
        if !configuration.isKnown { unreadable.append(Self.joined(common, "config")) }
        rules.append(configuration.isKnown ? Self.rules(configuration.excludesFile, in: top, ignoresCase) : nil)
        rules.append(Self.rules(Self.joined(common, "info/exclude"), in: top, ignoresCase))
        readIndex(Self.joined(folder, "index"), configuration.hashSize)
    }

    /// Whether git tracks the file or submodule at `path` below the top.
    func tracks(_ path: [UInt8]) -> Bool { index?.contains(path) ?? false }

    /// Whether git tracks a file below the folder at `path`, or the folder as a submodule.
    func tracksFiles(below path: [UInt8]) -> Bool {
        index.map { $0.contains(path) || $0.containsFiles(below: path) } ?? false
    }

    /// Whether the .gitignore file of the folder at `path`, empty or with a trailing slash, may be missing in the
    /// working tree.
    func holdsRules(of path: [UInt8]) -> Bool { index?.holdsRules(of: path) ?? false }

    private mutating func readIndex(_ path: [UInt8], _ hashSize: Int) {
        switch FileContents(at: path, limit: Self.largestIndex) {
        case .missing: return
        case .bytes(let bytes): index = GitIndex(bytes, hashSize: hashSize)
        case .refused, .failed: break
        }
        // Without the index no ignored file counts as tracked. Files that are both are lost, so this is reported.
        if index?.isPartial ?? true { unreadable.append(path) }
    }

    /// The rules in one of git's own files, which may be a link; nil if they cannot be known.
    private static func rules(_ path: [UInt8]?, in top: [UInt8], _ ignoresCase: Bool) -> IgnoreFile? {
        guard let path, !path.isEmpty else { return IgnoreFile([]) }
        switch FileContents(at: path.first == slash ? path : top + [slash] + path, limit: largestRules) {
        case .bytes(let bytes): return IgnoreFile(bytes, ignoresCase: ignoresCase)
        case .missing: return IgnoreFile([])
        case .refused, .failed: return nil
        }
    }

    /// The folder that a `.git` file points to.
    private static func target(of file: [UInt8], _ top: [UInt8]) -> [UInt8]? {
        let start = Array("gitdir: ".utf8)
        guard case .bytes(let bytes) = FileContents(at: file, limit: largestRules), bytes.starts(with: start) else {
            return nil
        }
        return resolved(bytes.dropFirst(start.count), in: top)
    }

    /// The folder that all working trees share: `folder` itself, or the one named in its file `commondir`.
    private static func commonFolder(of folder: [UInt8]) -> [UInt8]? {
        switch FileContents(at: joined(folder, "commondir"), limit: largestRules) {
        case .missing: folder
        case .bytes(let bytes): resolved(bytes[...], in: folder)
        case .refused, .failed: nil
        }
    }

    /// The folder at a path that ends with line breaks and may be relative to `folder`.
    private static func resolved(_ line: ArraySlice<UInt8>, in folder: [UInt8]) -> [UInt8]? {
        var path = line
        while path.last == UInt8(ascii: "\n") || path.last == UInt8(ascii: "\r") { path.removeLast() }
        return AbsolutePath.resolve(path.first == slash ? Array(path) : folder + [slash] + path)
    }

    private static let slash = UInt8(ascii: "/")

    private static func joined(_ folder: [UInt8], _ name: String) -> [UInt8] { folder + [slash] + Array(name.utf8) }

    private static func exists(_ path: [UInt8]) -> Bool {
        var status = stat()
        return withPath(path) { lstat($0, &status) } == 0
    }

    private static func withPath(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> CInt) -> CInt {
        (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { $0.baseAddress.map(body) ?? -1 }
    }
}
