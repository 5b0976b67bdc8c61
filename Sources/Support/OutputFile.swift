// An output file that gets its name only when it is complete.

/// A file that is being written. ``commit()`` gives it its name; without that, the file is removed together with the object.
///
/// Where the system supports files without a name, nothing is left even if the process is killed. Elsewhere the file has a
/// temporary name until then, and the next file that is written into the same folder removes the leftovers of killed
/// processes (``TemporaryFile``).
package final class OutputFile {
    private let path: String
    private let temporary: TemporaryFile
    private var descriptor: CInt { temporary.descriptor }
    private var buffer: [UInt8] = []
    private var count = 0

    /// Size of the buffer, in bytes.
    private static let bufferSize = 1 << 18

    /// Creates a temporary file in the folder of `path`. `mode` has the permissions, which the user's mask can restrict. Checks
    /// now, before the work, whether the file can get its name later.
    ///
    /// - Throws: ``InferenceError`` with `unwritableFile`.
    package init(replacing path: String, mode: mode_t = 0o666) throws(InferenceError) {
        guard !path.utf8.contains(0) else {
            throw InferenceError(.unwritableFile, "cannot write \(path.printable): the path contains a zero byte")
        }
        guard !path.isEmpty else { throw InferenceError(.unwritableFile, "cannot write a file without a name") }
        guard !path.hasSuffix("/") else {
            throw InferenceError(.unwritableFile, "cannot write \(path): it names a folder")
        }
        var status = stat()
        if lstat(path, &status) == 0 {
            // Renaming would replace a device or a link with a plain file.
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw InferenceError(.unwritableFile, "cannot write \(path): it exists and is not a regular file")
            }
        } else if errno != ENOENT {
            // For example, the name is too long.
            throw Self.failure("create", path)
        }
        let folder = Self.directory(of: path)
        guard let temporary = TemporaryFile(in: folder, mode) else { throw Self.failure("create", path) }
        self.temporary = temporary
        self.path = path
        buffer.reserveCapacity(Self.bufferSize)
    }

    /// Whether something exists at `path`. Also true if the system cannot tell.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    }

    private static func failure(_ action: String, _ path: String) -> InferenceError {
        InferenceError(.unwritableFile, "cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }

    /// Appends bytes.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        count += bytes.count
        if buffer.count + bytes.count <= Self.bufferSize {
            buffer.append(contentsOf: bytes)
            return
        }
        try flush()
        try write(bytes)
    }

    /// Appends bytes.
    package func append(_ bytes: [UInt8]) throws(InferenceError) {
        try bytes.withUnsafeBufferPointer { bytes throws(InferenceError) in
            try append(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Appends zeros until the length is a multiple of `alignment`.
    package func pad(to alignment: Int) throws(InferenceError) {
        try append([UInt8](repeating: 0, count: (alignment - count % alignment) % alignment))
    }

    /// Writes everything to the disk, then gives the file its name.
    package func commit() throws(InferenceError) {
        try flush()
        guard synchronize(descriptor) else { throw Self.failure("write", path) }
        guard temporary.rename(to: path) else { throw Self.failure("give the finished file its name", path) }
        // Make the new name survive a power failure. Some file systems cannot sync a directory; the file exists anyway.
        let directoryDescriptor = open(Self.directory(of: path), O_RDONLY | O_CLOEXEC)
        if directoryDescriptor >= 0 {
            _ = synchronize(directoryDescriptor)
            close(directoryDescriptor)
        }
    }

    private func flush() throws(InferenceError) {
        try buffer.withUnsafeBufferPointer { bytes throws(InferenceError) in
            try write(UnsafeRawBufferPointer(bytes))
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("write", path) }
            rest = rest.dropFirst(written)
        }
    }
}

/// `write(2)`. A type that has a method with this name cannot call it directly.
private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

/// A temporary file in the folder of the final file. It has no name where the system supports that; elsewhere its name matches
/// the pattern of ``removeStale(in:)``, which runs after each written file.
///
/// The writer holds a lock on the file. The system releases the lock when the process ends, so a file with a temporary name and
/// without a lock was left by a killed process.
final class TemporaryFile {
    /// The descriptor, open for writing.
    let descriptor: CInt
    private let folder: String
    private let path: String
    private var hasName: Bool

    private static let prefix = ".swiftinfer-"
    private static let suffix = ".tmp"

    /// Creates an empty file in `folder`; returns nil and sets `errno` on failure.
    init?(in folder: String, _ mode: mode_t) {
        if let nameless = Self.openNameless(in: folder, mode) {
            // The file has a temporary name for a moment in `rename(to:)`.
            Self.lock(nameless, waits: true)
            (descriptor, path, hasName) = (nameless, Self.freshPath(in: folder), false)
            self.folder = folder
            return
        }
        while true {
            let path = Self.freshPath(in: folder)
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            guard descriptor >= 0 else { return nil }
            Self.lock(descriptor, waits: true)
            // Another process may have removed it as stale before it was locked.
            var status = stat()
            if fstat(descriptor, &status) != 0 || status.st_nlink > 0 {
                (self.descriptor, self.path, hasName) = (descriptor, path, true)
                self.folder = folder
                return
            }
            close(descriptor)
        }
    }

    deinit {
        if hasName { unlink(path) }
        // Some files are created only to test whether the folder is writable.
        let wasWritten = lseek(descriptor, 0, SEEK_END) > 0
        close(descriptor)
        if wasWritten { Self.removeStale(in: folder) }
    }

    /// Gives the file its final name, and replaces a file that has it; returns false and sets `errno` on failure.
    func rename(to name: String) -> Bool {
        if !hasName {
            // `linkat` cannot replace a file, so link to the temporary name first; the renaming below replaces the old file.
            let link = linkat(AT_FDCWD, Self.place(of: descriptor), AT_FDCWD, path, AT_SYMLINK_FOLLOW)
            guard link == 0 else { return false }
            hasName = true
        }
        guard systemRename(path, name) == 0 else { return false }
        hasName = false
        return true
    }

    /// Removes files that killed processes left in `folder`. Failures are ignored.
    private static func removeStale(in folder: String) {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { continue }
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            // On file systems without locks the state is unknown, so the file stays.
            if lock(descriptor, waits: false) { unlink(path) }
            close(descriptor)
        }
    }

    /// Opens a file without a name in `folder`; nil if the system cannot create one or cannot name it later.
    private static func openNameless(in folder: String, _ mode: mode_t) -> CInt? {
        #if os(Linux)
        // O_TMPFILE of open(2). Swift does not import this macro.
        let descriptor = open(folder, O_WRONLY | O_DIRECTORY | 0o20_000_000 | O_CLOEXEC, mode)
        guard descriptor >= 0 else { return nil }
        if access(place(of: descriptor), F_OK) == 0 { return descriptor }
        close(descriptor)
        #endif
        return nil
    }

    /// The path of the open file `descriptor`.
    private static func place(of descriptor: CInt) -> String { "/proc/self/fd/\(descriptor)" }

    private static func freshPath(in folder: String) -> String {
        "\(folder)/\(prefix)\(String(UInt64.random(in: 0...UInt64.max), radix: 36))\(suffix)"
    }

    /// Locks a file; returns false if another descriptor or process has the lock, or the file system has no locks.
    @discardableResult
    private static func lock(_ descriptor: CInt, waits: Bool) -> Bool {
        while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}

/// `rename(2)`. A type that has a method with this name cannot call it directly.
private func systemRename(_ old: String, _ new: String) -> CInt { rename(old, new) }

/// Writes to the disk what the system holds of a file; returns false if it cannot.
package func synchronize(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
    // On macOS, fsync leaves data in the memory of the disk. Not every file system has the stronger command.
    return fcntl(descriptor, F_FULLFSYNC) == 0 || fsync(descriptor) == 0
    #else
    return fsync(descriptor) == 0
    #endif
}
