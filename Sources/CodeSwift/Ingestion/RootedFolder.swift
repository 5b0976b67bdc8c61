// Access to the files below one folder that never follows links.

package import InferSupport

/// An open folder whose contents are reached one component at a time without following links, so that nothing outside is
/// ever read, even while somebody moves things about.
package final class RootedFolder: Sendable {
    /// The path it was opened by.
    package let path: String
    let descriptor: CInt

    /// Opens the folder at `path`, which itself may be reached through links.
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

    /// What is at a place.
    struct Status {
        enum Kind { case regular, folder, link, other }
        var kind: Kind
        var size: Int
        /// Time of the last change of the contents, in nanoseconds.
        var modified: Int
        /// Tells files apart that have replaced each other.
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

    /// The regular file at `path` below the folder; nil when it is not there, has more than `limit` bytes or may not be read.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when reading fails for a reason that does not lie with the file.
    package func read(_ path: [UInt8], limit: Int) throws(InferenceError) -> [UInt8]? {
        switch contents(path, limit: limit) {
        case .bytes(let bytes): return bytes
        case .missing, .refused: return nil
        case .failed(let error): throw failure("read", path, error)
        }
    }

    /// What reading the file at `path` below the folder comes to.
    func contents(_ path: [UInt8], limit: Int) -> FileContents {
        guard let (folder, name) = openFolder(of: path) else { return FileContents(error: errno) }
        defer { if folder != descriptor { close(folder) } }
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let file = Self.withName(name) { openat(folder, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard file >= 0 else { return FileContents(error: errno) }
        defer { close(file) }
        return FileContents(of: file, limit: limit)
    }

    /// What is at `path` below the folder; nil when there is nothing, when it may not be known, or when the way leads over a
    /// link.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when asking fails for another reason.
    func status(_ path: [UInt8]) throws(InferenceError) -> Status? {
        guard let (folder, name) = openFolder(of: path) else {
            let error = errno
            guard FileContents.isAboutFile(error) else { throw failure("read", path, error) }
            return nil
        }
        defer { if folder != descriptor { close(folder) } }
        return try status(name, in: folder, path: path)
    }

    /// What `name`, in an open folder, is; `path` is the way there from the root.
    func status(_ name: [UInt8], in folder: CInt, path: [UInt8]) throws(InferenceError) -> Status? {
        var status = stat()
        if Self.withName(name, { fstatat(folder, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 { return Status(status) }
        let error = errno
        guard FileContents.isAboutFile(error) else { throw failure("read", path, error) }
        return nil
    }

    /// Opens the folder `name` in an open folder; nil when it is none, a link to one, or may not be opened.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` when opening fails for another reason.
    func openFolder(_ name: [UInt8], in folder: CInt, path: [UInt8]) throws(InferenceError) -> CInt? {
        let next = Self.openFolder(name, in: folder)
        if next >= 0 { return next }
        let error = errno
        guard FileContents.isAboutFile(error) else { throw failure("open", path, error) }
        return nil
    }

    /// Whether this folder is the one at an absolute path.
    func isFolder(at path: [UInt8]) -> Bool {
        var (here, there) = (stat(), stat())
        return fstat(descriptor, &here) == 0 && Self.withName(path) { stat($0, &there) } == 0
            && here.st_dev == there.st_dev && here.st_ino == there.st_ino
    }

    /// The root once more, with a place of its own in the listing.
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

    /// Opens the folder that `path` lies in, and gives the last component; nil, and `errno`, when that fails.
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

    /// Opens the folder `name` in an open folder; negative when it is none, or a link to one.
    private static func openFolder(_ name: [UInt8], in folder: CInt) -> CInt {
        withName(name) { openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    }

    /// Whether a component can lead down only.
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

/// Goes through an open folder, and closes it at the end of its life.
///
/// What `readdir` gives at the end it gives for an error too; only `errno` tells them apart. A folder that cannot be read to
/// its end must not pass for a smaller one.
struct FolderListing: ~Copyable {
    private let stream: OpaquePointer
    /// The folder's path, for messages.
    private let path: [UInt8]
    /// The open folder, to reach what is in it.
    let descriptor: CInt

    /// Takes over an open folder.
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

    /// That the folder at `path` cannot be listed.
    static func failure(_ path: [UInt8], _ error: CInt) -> InferenceError {
        InferenceError(
            .unreadableFile,
            "cannot list the folder \(String(decoding: path, as: UTF8.self).printable): \(String(cString: strerror(error)))"
        )
    }
}
