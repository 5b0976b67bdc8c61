// A file that may go into a store.

/// A regular file below a root.
package struct SourceFile: Hashable, Sendable {
    /// The path relative to the root; bytes, as names need not be text.
    package var path: [UInt8]
    /// Size in bytes when it was found.
    package var size: Int
    /// Time of the last change of its contents, in nanoseconds since 1970.
    package var modified: Int
    /// The file's number, which changes when another file takes its name.
    package var inode: UInt64

    /// The file at `path`, as it is.
    init(_ path: [UInt8], _ status: RootedFolder.Status) {
        self.path = path
        size = status.size
        modified = status.modified
        inode = status.inode
    }
}
