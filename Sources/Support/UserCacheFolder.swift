// Where the user's caches are.

/// Folders for what may be lost, within `XDG_CACHE_HOME` or `~/.cache`.
package enum UserCacheFolder {
    /// The folder for caches of the kind `name`, made or to be made by who writes there.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile` where neither variable is set, or the folder would lie in one that is not
    ///   there: a home that does not exist is not made for the sake of a cache.
    package static func path(for name: String) throws(InferenceError) -> String {
        guard let base = variable("XDG_CACHE_HOME") ?? variable("HOME").map({ $0 + "/.cache" }) else {
            throw InferenceError(.unwritableFile, "there is no cache folder: neither XDG_CACHE_HOME nor HOME is set")
        }
        let folder = base + "/swiftinfer/" + name
        var place = base[...]
        while place.count > 1, place.hasSuffix("/") { place.removeLast() }
        let parent = place[...(place.lastIndex(of: "/") ?? place.startIndex)]
        guard isFolder(String(place)) || isFolder(String(parent)) else {
            throw InferenceError(.unwritableFile, "there is no cache folder: no folder \(parent) to make it in")
        }
        return folder
    }

    /// The value of a variable that holds an absolute path; others do not count.
    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
