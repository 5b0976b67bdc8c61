// Files below one folder, and nowhere else.

package import GGUF

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

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

    /// The regular file at `path` below the folder, when it is there, has at most `limit` bytes and can be read.
    package func read(_ path: [UInt8], limit: Int) -> [UInt8]? {
        guard let file = openFile(path) else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, case let found = Status(status), found.kind == .regular, found.size <= limit
        else { return nil }
        // One byte more than it should have shows whether the file is growing.
        return [UInt8](unsafeUninitializedCapacity: found.size + 1) { buffer, count in
            while count < buffer.count {
                let read = systemRead(
                    file, UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
                if read < 0, errno == EINTR { continue }
                guard read > 0 else { break }
                count += read
            }
            count = min(count, found.size)
        }
    }

    /// What is at `path` below the folder; nil when there is nothing, or when the way leads over a link.
    func status(_ path: [UInt8]) -> Status? {
        guard let (folder, name) = openFolder(of: path) else { return nil }
        defer { if folder != descriptor { close(folder) } }
        return Self.status(name, in: folder)
    }

    /// What `name` is in an open folder.
    static func status(_ name: [UInt8], in folder: CInt) -> Status? {
        var status = stat()
        return withName(name) { fstatat(folder, $0, &status, AT_SYMLINK_NOFOLLOW) } == 0 ? Status(status) : nil
    }

    private func openFile(_ path: [UInt8]) -> CInt? {
        guard let (folder, name) = openFolder(of: path) else { return nil }
        defer { if folder != descriptor { close(folder) } }
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let file = Self.withName(name) { openat(folder, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        return file >= 0 ? file : nil
    }

    /// Opens the folder that `path` lies in, and gives the last component.
    private func openFolder(of path: [UInt8]) -> (CInt, [UInt8])? {
        var current = descriptor
        let components = path.split(separator: UInt8(ascii: "/")).map(Array.init)
        guard let name = components.last, components.allSatisfy(Self.isProper) else { return nil }
        for component in components.dropLast() {
            let next = Self.openFolder(component, in: current)
            if current != descriptor { close(current) }
            guard next >= 0 else { return nil }
            current = next
        }
        return (current, name)
    }

    /// Opens the folder `name` in an open folder; negative when it is none, or a link to one.
    static func openFolder(_ name: [UInt8], in folder: CInt) -> CInt {
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

/// `read(2)`, out of reach inside a type that has a method of that name.
private func systemRead(_ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
