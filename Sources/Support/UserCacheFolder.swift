// The folder for the user's caches.

/// Folders in `XDG_CACHE_HOME` or `~/.cache`, for files that can be recreated.
package enum UserCacheFolder {
    /// The folder for caches of the kind `name`. It may not exist; the writer creates it.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile` if neither variable is set, or if the parent folder does not exist: a
    ///   cache does not justify creating a home folder.
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

    /// The value of an environment variable; nil unless it is an absolute path.
    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
