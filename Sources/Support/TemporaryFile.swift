// A file that nobody is to find until it is complete.

/// A file in the folder where it is to stay: without a name where the system has such files, otherwise under one that
/// ``removeStale(in:)`` knows, which runs after every file that was written.
///
/// Whoever writes such a file holds a lock on it, which the system releases when the process ends, however it does. So a name
/// without a lock is one that a killed process left.
final class TemporaryFile {
    /// Open for writing.
    let descriptor: CInt
    private let folder: String
    private let path: String
    private var hasName: Bool

    private static let prefix = ".swiftinfer-"
    private static let suffix = ".tmp"

    /// Creates an empty file in `folder`; nil, with `errno` set, where that cannot be.
    init?(in folder: String, _ mode: mode_t) {
        if let nameless = Self.openNameless(in: folder, mode) {
            // For the moment between its two names.
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
            // Another process may have taken it for stale before it was locked.
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
        // One that was only created tells whether the folder can be written.
        let wasWritten = lseek(descriptor, 0, SEEK_END) > 0
        close(descriptor)
        if wasWritten { Self.removeStale(in: folder) }
    }

    /// Gives it its real name, which may be another file's so far; false, with `errno` set, where that cannot be.
    func rename(to name: String) -> Bool {
        if !hasName {
            // A link replaces nothing, so the old file goes by the renaming that follows.
            let link = linkat(AT_FDCWD, Self.place(of: descriptor), AT_FDCWD, path, AT_SYMLINK_FOLLOW)
            guard link == 0 else { return false }
            hasName = true
        }
        guard systemRename(path, name) == 0 else { return false }
        hasName = false
        return true
    }

    /// Removes what killed processes left in `folder`, which costs time alone if it cannot be.
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
            // On file systems without locks nobody can tell, and it stays.
            if lock(descriptor, waits: false) { unlink(path) }
            close(descriptor)
        }
    }

    /// Opens a file that has no name in `folder`; nil where there can be none, or none that can be given a name later.
    private static func openNameless(in folder: String, _ mode: mode_t) -> CInt? {
        #if os(Linux)
            // O_TMPFILE of open(2), a macro that Swift does not see.
            let descriptor = open(folder, O_WRONLY | O_DIRECTORY | 0o20_000_000 | O_CLOEXEC, mode)
            guard descriptor >= 0 else { return nil }
            if access(place(of: descriptor), F_OK) == 0 { return descriptor }
            close(descriptor)
        #endif
        return nil
    }

    /// Where the file behind a descriptor can be found.
    private static func place(of descriptor: CInt) -> String { "/proc/self/fd/\(descriptor)" }

    private static func freshPath(in folder: String) -> String {
        "\(folder)/\(prefix)\(String(UInt64.random(in: 0...UInt64.max), radix: 36))\(suffix)"
    }

    /// Locks a file against other processes and other descriptors; false where another has the lock, or there are no locks.
    @discardableResult
    private static func lock(_ descriptor: CInt, waits: Bool) -> Bool {
        while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}

/// `rename(2)`, out of reach inside a type that has a method of that name.
private func systemRename(_ old: String, _ new: String) -> CInt { rename(old, new) }
