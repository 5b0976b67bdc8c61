// The folders for the user's files of this program.

/// A folder of the user, by the XDG base directory specification; on macOS, where the variable is not set, by Apple's rules.
package enum UserFolder {
    /// `XDG_CACHE_HOME` or `~/.cache` (macOS: `~/Library/Caches`), for files that can be recreated.
    case cache
    /// `XDG_STATE_HOME` or `~/.local/state` (macOS: `~/Library/Application Support`), for what was done before, such as a history.
    case state

    #if canImport(Darwin)
    private static let standardFolders = (cache: "/Library/Caches", state: "/Library/Application Support")
    #else
    private static let standardFolders = (cache: "/.cache", state: "/.local/state")
    #endif

    /// The folder for files of the kind `name`. It may not exist; the writer creates it.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile` if neither variable is set, or if there is no folder to make it in: such
    ///   files do not justify creating a home folder.
    package func path(for name: String) throws(InferenceError) -> String {
        let (variable, standard, kind) =
            switch self {
            case .cache: ("XDG_CACHE_HOME", Self.standardFolders.cache, "cache")
            case .state: ("XDG_STATE_HOME", Self.standardFolders.state, "state")
            }
        let base: String
        var outer: String
        if let given = Self.variable(variable) {
            base = given
            outer = given
            while outer.count > 1, outer.hasSuffix("/") { outer.removeLast() }
            outer = String(outer[...(outer.lastIndex(of: "/") ?? outer.startIndex)])
        } else if let home = Self.variable("HOME") {
            (base, outer) = (home + standard, home)
        } else {
            throw InferenceError(.unwritableFile, "there is no \(kind) folder: neither \(variable) nor HOME is set")
        }
        guard FileKind(at: base) == .folder || FileKind(at: outer) == .folder else {
            throw InferenceError(.unwritableFile, "there is no \(kind) folder: no folder \(outer) to make it in")
        }
        return base + "/swiftinfer/" + name
    }

    /// The value of an environment variable; nil unless it is an absolute path.
    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}
