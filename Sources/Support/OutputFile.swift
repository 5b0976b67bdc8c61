// A file that appears under its name only when it is complete.

/// A file being written without a name where the system has such files, so that nothing is left of it however the process ends;
/// elsewhere under a temporary name, which goes with the object unless ``commit()`` gave it its real one. What a killed process
/// left goes when the next file is written into the same folder: ``TemporaryFile``.
package final class OutputFile {
    private let path: String
    private let temporary: TemporaryFile
    private var descriptor: CInt { temporary.descriptor }
    private var buffer: [UInt8] = []
    private var count = 0

    /// Bytes gathered before they go to the system.
    private static let bufferSize = 1 << 18

    /// Creates a temporary file beside `path`, which `mode` says who may read, as far as the user's mask lets it. What will keep it
    /// from getting its name is said now, before the work.
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
            // Renaming would replace a device or a link by a plain file.
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw InferenceError(.unwritableFile, "cannot write \(path): it exists and is not a regular file")
            }
        } else if errno != ENOENT {
            // A name that is too long, for one.
            throw Self.failure("create", path)
        }
        let folder = Self.directory(of: path)
        guard let temporary = TemporaryFile(in: folder, mode) else { throw Self.failure("create", path) }
        self.temporary = temporary
        self.path = path
        buffer.reserveCapacity(Self.bufferSize)
    }

    /// Whether there is something at `path`, or may be: all but a certain no.
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

    /// Adds bytes at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        count += bytes.count
        if buffer.count + bytes.count <= Self.bufferSize {
            buffer.append(contentsOf: bytes)
            return
        }
        try flush()
        try write(bytes)
    }

    /// Adds `bytes`.
    package func append(_ bytes: [UInt8]) throws(InferenceError) {
        try bytes.withUnsafeBufferPointer { bytes throws(InferenceError) in
            try append(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Adds zeros until the length is a multiple of `alignment`.
    package func pad(to alignment: Int) throws(InferenceError) {
        try append([UInt8](repeating: 0, count: (alignment - count % alignment) % alignment))
    }

    /// Puts everything on the disk, then under the real name.
    package func commit() throws(InferenceError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw Self.failure("write", path) }
        guard temporary.rename(to: path) else { throw Self.failure("give the finished file its name", path) }
        // Makes the new name survive a power cut. Some file systems cannot do this to a directory; the file is there anyway.
        let directoryDescriptor = open(Self.directory(of: path), O_RDONLY | O_CLOEXEC)
        if directoryDescriptor >= 0 {
            fsync(directoryDescriptor)
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

/// `write(2)`, out of reach inside a type that has a method of that name.
private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
