// What is at a path, and folders that are made.

/// Whether a path leads to a folder or to something else, such as a file or a device. Links are followed.
package enum FileKind: Sendable {
    case file, folder

    /// Nil if there is nothing, or if the system cannot tell.
    package init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self = status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }
}

/// Makes folders.
package enum Folder {
    /// Makes the folder at `path`, and those above it that are missing.
    ///
    /// - Parameter mode: The permissions of new folders, less those that the user masks.
    /// - Throws: ``InferenceError`` with `unwritableFile`.
    package static func create(_ path: String, mode: mode_t = 0o777) throws(InferenceError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            guard mkdir(part, mode) != 0 else { continue }
            let code = errno
            guard FileKind(at: part) == .folder else {
                throw InferenceError(
                    .unwritableFile, "cannot create the folder \(part.printable): \(String(cString: strerror(code)))")
            }
        }
    }
}
