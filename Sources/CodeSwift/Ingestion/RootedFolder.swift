// Access to the files below one folder that never follows links.

package import InferSupport

/// An open folder. Its contents are reached one path component at a time without following links, so that nothing
/// outside is ever read, even if files are moved meanwhile.
package final class RootedFolder: Sendable {
    /// The path that it was opened with.
    package let path: String
    let descriptor: CInt

    /// Opens the folder at `path`. The path itself may contain links.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`.
    package init(path: String) throws(InferenceError) {
        guard !path.utf8.contains(0) else {
            throw InferenceError(.unreadableFile, "cannot open \(path.printable): the path contains a zero byte")
        }
        self.path = path
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw InferenceError(.unreadableFile, "cannot open \(path.printable): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The type and attributes of a file.
    struct Status {
        enum Kind { case regular, folder, link, other }
        var kind: Kind
        var size: Int
        /// Time of the last modification, in nanoseconds since 1970.
        var modified: Int
        /// Distinguishes files that have replaced each other.
        var inode: UInt64

        init(_ status: stat) {
            kind =
                switch status.st_mode & S_IFMT {
                case S_IFREG: .regular
                case S_IFDIR: .folder
                case S_IFLNK: .link
                default: .other
                }
            size = Int(status.st_size)
            #if canImport(Darwin)
            let time = status.st_mtimespec
            #else
            let time = status.st_mtim
            #endif
            modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
            inode = UInt64(status.st_ino)
        }
    }

    /// The contents of the regular file at `path` below the folder; nil if it does not exist, has more than `limit`
    /// bytes, or may not be read.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when reading fails for a reason that is not the file's own.
    package func read(_ path: [UInt8], limit: Int) throws(InferenceError) -> [UInt8]? {
        switch contents(path, limit: limit) {
        case .bytes(let bytes): return bytes
        case .missing, .refused: return nil
        case .failed(let error): throw failure("read", path, error)
        }
    }

    /// The result of reading the file at `path` below the folder.
    func contents(_ path: [UInt8], limit: Int) -> FileContents {
        guard let (folder, name) = openFolder(of: path) else { return FileContents(error: errno) }
        defer { if folder != descriptor { close(folder) } }
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let file = Self.withName(name) { openat(folder, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard file >= 0 else { return FileContents(error: errno) }
        defer { close(file) }
        return FileContents(of: file, limit: limit)
    }

    /// The status of `path` below the folder; nil if there is no such file, if access is denied, or if the path
    /// contains a link.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when it fails for another reason.
    func status(_ path: [UInt8]) throws(InferenceError) -> Status? {
        guard let (folder, name) = openFolder(of: path) else {
            let error = errno
            guard FileContents.isAboutFile(error) else { throw failure("read", path, error) }
            return nil
        }
        defer { if folder != descriptor { close(folder) } }
        return try status(name, in: folder, path: path)
    }

    /// The status of `name` in an open folder. `path` is its path from the root, for messages.
    func status(_ name: [UInt8], in folder: CInt, path: [UInt8]) throws(InferenceError) -> Status? {
        var status = stat()
        if Self.withName(name, { fstatat(folder, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 { return Status(status) }
        let error = errno
        guard FileContents.isAboutFile(error) else { throw failure("read", path, error) }
        return nil
    }

    /// Opens the folder `name` in an open folder; nil if it is not a folder, is a link, or may not be opened.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when it fails for another reason.
    func openFolder(_ name: [UInt8], in folder: CInt, path: [UInt8]) throws(InferenceError) -> CInt? {
        let next = Self.openFolder(name, in: folder)
        if next >= 0 { return next }
        let error = errno
        guard FileContents.isAboutFile(error) else { throw failure("open", path, error) }
        return nil
    }

    /// Whether this is the folder at the absolute path `path`.
    func isFolder(at path: [UInt8]) -> Bool {
        var (here, there) = (stat(), stat())
        return fstat(descriptor, &here) == 0 && Self.withName(path) { stat($0, &there) } == 0
            && here.st_dev == there.st_dev && here.st_ino == there.st_ino
    }

    /// Opens the root again, with a listing position of its own.
    func reopen() throws(InferenceError) -> CInt {
        let copy = Self.openFolder([UInt8(ascii: ".")], in: descriptor)
        guard copy >= 0 else { throw failure("open", [], errno) }
        return copy
    }

    private func failure(_ verb: String, _ place: [UInt8], _ error: CInt) -> InferenceError {
        let place = place.isEmpty ? path : "\(path)/\(String(decoding: place, as: UTF8.self))"
        return InferenceError(
            .unreadableFile, "cannot \(verb) \(place.printable): \(String(cString: strerror(error)))")
    }

    /// Opens the parent folder of `path` and returns the last component. Nil, with `errno` set, if that fails.
    private func openFolder(of path: [UInt8]) -> (CInt, [UInt8])? {
        var current = descriptor
        let components = path.split(separator: UInt8(ascii: "/")).map(Array.init)
        guard let name = components.last, components.allSatisfy(Self.isProper) else {
            errno = ENOENT
            return nil
        }
        for component in components.dropLast() {
            let next = Self.openFolder(component, in: current)
            let error = errno
            if current != descriptor { close(current) }
            guard next >= 0 else {
                errno = error
                return nil
            }
            current = next
        }
        return (current, name)
    }

    /// Opens the folder `name` in an open folder; negative if it is not a folder, or is a link.
    private static func openFolder(_ name: [UInt8], in folder: CInt) -> CInt {
        withName(name) { openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    }

    /// Whether a component cannot lead upwards.
    private static func isProper(_ component: [UInt8]) -> Bool {
        !component.contains(0) && component != [UInt8(ascii: ".")]
            && component != [UInt8(ascii: "."), UInt8(ascii: ".")]
    }

    private static func withName(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> CInt) -> CInt {
        (name.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? -1
        }
    }
}

/// Lists an open folder and closes it at the end.
///
/// `readdir` returns null both at the end and after an error; only `errno` distinguishes them. A folder that cannot be
/// listed completely must not pass for a smaller one.
struct FolderListing: ~Copyable {
    private let stream: OpaquePointer
    /// The folder's path, for messages.
    private let path: [UInt8]
    /// The open folder, to open its entries.
    let descriptor: CInt

    /// Takes ownership of an open folder.
    init(_ descriptor: CInt, path: [UInt8]) throws(InferenceError) {
        guard let stream = fdopendir(descriptor) else {
            let error = errno
            close(descriptor)
            throw Self.failure(path, error)
        }
        self.stream = stream
        self.path = path
        self.descriptor = descriptor
    }

    deinit { closedir(stream) }

    /// The next name, without `.` and `..`; nil at the end.
    mutating func next() throws(InferenceError) -> [UInt8]? {
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw Self.failure(path, errno) }
                return nil
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                let text = UnsafeRawPointer(pointer)
                let count = strlen(text.assumingMemoryBound(to: CChar.self))
                return Array(UnsafeRawBufferPointer(start: text, count: count))
            }
            if name != Array(".".utf8), name != Array("..".utf8) { return name }
        }
    }

    /// The error that the folder at `path` cannot be listed.
    static func failure(_ path: [UInt8], _ error: CInt) -> InferenceError {
        InferenceError(
            .unreadableFile,
            "cannot list the folder \(String(decoding: path, as: UTF8.self).printable): \(String(cString: strerror(error)))"
        )
    }
}
