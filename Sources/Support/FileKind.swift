// What is at a path.

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
