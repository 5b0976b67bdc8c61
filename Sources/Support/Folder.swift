// Folders for output.

/// Makes folders.
package enum Folder {
    /// Makes the folder at `path`, and those above it that are missing.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`.
    package static func create(_ path: String) throws(InferenceError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            guard mkdir(part, 0o777) != 0 else { continue }
            let code = errno
            guard FileKind(at: part) == .folder else {
                throw InferenceError(
                    .unwritableFile, "cannot create the folder \(path.printable): \(String(cString: strerror(code)))")
            }
        }
    }
}
