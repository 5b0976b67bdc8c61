// A file that appears under its name only when it is complete.

#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#elseif canImport(Darwin)
    package import Darwin
#endif

/// A file being written without a name where the system has such files, so that nothing is left of it however the process ends;
/// elsewhere under a temporary name, which goes with the object unless ``commit()`` gave it its real one.
package final class OutputFile {
    private let path: String
    private let temporaryPath: String
    private let descriptor: CInt
    /// Whether the file has no name yet.
    private let isNameless: Bool
    private var buffer: [UInt8] = []
    private var count = 0
    private var isCommitted = false

    /// Bytes gathered before they go to the system.
    private static let bufferSize = 1 << 18

    /// Creates a temporary file beside `path`, which `mode` says who may read, as far as the user's mask lets it.
    package init(replacing path: String, mode: mode_t = 0o666) throws(InferenceError) {
        guard !path.utf8.contains(0) else {
            throw InferenceError(.unwritableFile, "cannot write \(path.printable): the path contains a zero byte")
        }
        var status = stat()
        // Renaming would replace a device or a link by a plain file.
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw InferenceError(.unwritableFile, "cannot write \(path): it exists and is not a regular file")
        }
        let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        temporaryPath = "\(path).\(suffix).tmp"
        self.path = path
        if let nameless = Self.openNameless(in: Self.directory(of: path), mode) {
            descriptor = nameless
            isNameless = true
        } else {
            descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            isNameless = false
        }
        guard descriptor >= 0 else { throw Self.failure("create", temporaryPath) }
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if !isCommitted, !isNameless { unlink(temporaryPath) }
    }

    /// Opens a file that has no name in `directory`; nil where there can be none, or none that can be given a name later.
    private static func openNameless(in directory: String, _ mode: mode_t) -> CInt? {
        #if os(Linux)
            // O_TMPFILE of open(2), a macro that Swift does not see.
            let descriptor = open(directory, O_WRONLY | O_DIRECTORY | 0o20_000_000 | O_CLOEXEC, mode)
            guard descriptor >= 0 else { return nil }
            if access(place(of: descriptor), F_OK) == 0 { return descriptor }
            close(descriptor)
        #endif
        return nil
    }

    /// Where the file behind a descriptor can be found.
    private static func place(of descriptor: CInt) -> String { "/proc/self/fd/\(descriptor)" }

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
        if isNameless {
            // A link replaces nothing, so the old file goes by the renaming that follows.
            let link = linkat(AT_FDCWD, Self.place(of: descriptor), AT_FDCWD, temporaryPath, AT_SYMLINK_FOLLOW)
            guard link == 0 else { throw Self.failure("name the finished file", temporaryPath) }
        }
        guard rename(temporaryPath, path) == 0 else {
            let error = Self.failure("rename the finished file to", path)
            unlink(temporaryPath)
            throw error
        }
        isCommitted = true
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
