// Reading files and resolving paths.

import InferSupport

/// The result of reading a file.
enum FileContents {
    case bytes([UInt8])
    /// There is no such file.
    case missing
    /// It is not a regular file, is too large, or may not be read.
    case refused
    /// Reading failed for a reason that is not the file's own; the value is an `errno`.
    case failed(CInt)

    /// The result for an error from opening a file.
    init(error: CInt) {
        self =
            switch error {
            case ENOENT, ENOTDIR: .missing
            case _ where Self.isAboutFile(error): .refused
            default: .failed(error)
            }
    }

    /// Reads an open file if it is a regular file of at most `limit` bytes.
    init(of file: CInt, limit: Int) {
        var status = stat()
        guard fstat(file, &status) == 0 else {
            self = .failed(errno)
            return
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            self = .refused
            return
        }
        let size = Int(status.st_size)
        var error: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let read = read(file, buffer.baseAddress.map { $0 + count }, size - count)
                if read < 0, errno == EINTR { continue }
                if read < 0 { error = errno }
                // The file has become shorter meanwhile.
                guard read > 0 else { break }
                count += read
            }
        }
        self = error == 0 ? .bytes(bytes) : error == EISDIR ? .refused : .failed(error)
    }

    /// Reads the file at a path, which may contain links. A device or a pipe counts as empty, as it does for git.
    ///
    /// - Parameter followsLinks: Whether the last component may be a link.
    init(at path: [UInt8], limit: Int, followsLinks: Bool = true) {
        let descriptor = (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW)) }
                ?? -1
        }
        guard descriptor >= 0 else {
            self.init(error: errno)
            return
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFREG, status.st_mode & S_IFMT != S_IFDIR {
            self = .bytes([])
        } else {
            self.init(of: descriptor, limit: limit)
        }
    }

    /// Whether an error concerns the file itself, so that the file can be skipped, and not the machine.
    static func isAboutFile(_ error: CInt) -> Bool {
        [ENOENT, ENOTDIR, ELOOP, EACCES, EPERM, EISDIR, ENXIO, ENODEV, ENAMETOOLONG, EOPNOTSUPP, ETXTBSY].contains(
            error)
    }
}

/// Resolves paths against the file system.
enum AbsolutePath {
    /// `path` with links, `.` and `..` resolved; nil if it does not exist.
    static func resolve(_ path: String) -> String? {
        resolve(Array(path.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same as bytes, for names that are not valid UTF-8.
    static func resolve(_ path: [UInt8]) -> [UInt8]? {
        let resolved = (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { realpath($0, nil) }
        }
        guard let resolved else { return nil }
        defer { free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// Whether the folders of a pattern, up to its first wildcard, contain no links.
    static func isFree(ofLinks pattern: [UInt8]) -> Bool {
        let literal = pattern.prefix {
            ![UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\")].contains($0)
        }
        guard let slash = literal.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return true }
        let folder = Array(literal[..<slash])
        return resolve(folder).map { $0 == folder } ?? true
    }
}
