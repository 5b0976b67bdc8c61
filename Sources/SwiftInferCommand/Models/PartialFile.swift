// A file that is being fetched: what has come so far, and what says that the rest belongs to it.

import Foundation
package import InferSupport

/// The file `NAME.part`, which becomes `NAME` when it is complete, and `NAME.part.json`, which says where it comes from. While the object
/// lives, it holds a lock on the file, so no other process writes to it.
package final class PartialFile {
    /// Where the bytes come from.
    package struct Record: Codable, Equatable {
        /// The URL that was asked for, without what is secret in it.
        package var url: String
        /// The bytes of the complete file, as the server said.
        package var size: Int?
        /// The server's mark of this version of the file (RFC 9110, 8.8.3).
        package var etag: String?
        /// When the file was changed last, as the server said.
        package var lastModified: String?
        /// The SHA-256 that the complete file should have.
        package var sha256: String?

        /// What a request for the rest sends as `If-Range`; nil if the server has no certain mark of the version.
        package var condition: String? {
            if let etag, !etag.hasPrefix("W/") { return etag }
            return lastModified
        }

        /// Where a file comes from.
        package init(
            url: String, size: Int? = nil, etag: String? = nil, lastModified: String? = nil, sha256: String? = nil
        ) {
            (self.url, self.size, self.etag) = (url, size, etag)
            (self.lastModified, self.sha256) = (lastModified, sha256)
        }

        enum CodingKeys: String, CodingKey { case url, size, etag, sha256, lastModified = "last_modified" }
    }

    /// The path of the complete file.
    let target: String
    /// The path of the part.
    var path: String { target + ".part" }
    /// The number of bytes so far.
    package private(set) var count: Int

    private let descriptor: Int32
    private var recordPath: String { path + ".json" }

    /// Opens or creates the part of the file at `target`, and waits for the lock.
    ///
    /// - Parameter waiting: Called once if another process has the lock.
    /// - Throws: ``InferenceError`` with `unwritableFile`, or with `cancelled` if the task is cancelled while it waits.
    package init(of target: String, waiting: () -> Void) throws(InferenceError) {
        self.target = target
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        try Folder.create(folder)
        let path = target + ".part"
        var hasWaited = false
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw Self.failure("create", path) }
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                // A file system without locks has to do without.
                guard errno == EWOULDBLOCK || errno == EINTR else { break }
                if !hasWaited { waiting() }
                hasWaited = true
                guard !Task.isCancelled else {
                    close(descriptor)
                    throw InferenceError(.cancelled, "waiting for another process was cancelled")
                }
                usleep(100_000)
            }
            // The other process may have given the file its final name, or removed it.
            var (own, named) = (stat(), stat())
            if fstat(descriptor, &own) == 0, lstat(path, &named) == 0, own.st_ino == named.st_ino,
                own.st_dev == named.st_dev
            {
                self.descriptor = descriptor
                count = Int(own.st_size)
                return
            }
            close(descriptor)
        }
    }

    deinit {
        // Nothing came, so nothing needs to be continued.
        if count == 0 { remove() }
        close(descriptor)
    }

    /// Where the bytes come from; nil if that is unknown.
    package var record: Record? { Self.record(of: target) }

    /// Where the bytes of the part of `target` come from; nil if that is unknown.
    static func record(of target: String) -> Record? {
        FileManager.default.contents(atPath: target + ".part.json").flatMap {
            try? JSONDecoder().decode(Record.self, from: $0)
        }
    }

    /// Drops all bytes, and notes where the next ones come from.
    package func begin(_ record: Record) throws(InferenceError) {
        guard ftruncate(descriptor, 0) == 0 else { throw Self.failure("write", path) }
        count = 0
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let file = try OutputFile(replacing: recordPath)
        try file.append([UInt8]((try? encoder.encode(record)) ?? Data()) + [UInt8(ascii: "\n")])
        try file.commit()
    }

    /// Appends bytes.
    package func append(_ bytes: ArraySlice<UInt8>) throws(InferenceError) {
        let error: Int32? = bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = pwrite(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, off_t(count))
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return errno }
                count += written
                rest = rest.dropFirst(written)
            }
            return nil
        }
        if let error {
            throw InferenceError(
                .unwritableFile,
                "cannot write \(path): \(String(cString: strerror(error))); what has come is kept, so the same command goes on there"
            )
        }
    }

    /// The SHA-256 of the bytes so far.
    package func digest(progress: (Double) -> Void) throws(InferenceError) -> String {
        try Self.digest(of: path, progress: progress)
    }

    /// The SHA-256 of the file at `path`.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`, or with `cancelled` if the task is cancelled.
    static func digest(of path: String, progress: (Double) -> Void) throws(InferenceError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw InferenceError(.unreadableFile, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let size = max(1, Int(lseek(descriptor, 0, SEEK_END)))
        var digest = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var position = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(position))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw InferenceError(.unreadableFile, "cannot read \(path): \(String(cString: strerror(errno)))")
            }
            guard count > 0 else { return digest.hexadecimal }
            guard !Task.isCancelled else { throw InferenceError(.cancelled, "reading \(path) was cancelled") }
            buffer.withUnsafeBytes { digest.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            position += count
            progress(Double(position) / Double(size))
        }
    }

    /// Gives the complete file its name. It replaces a file that has it.
    package func complete() throws(InferenceError) {
        guard synchronize(descriptor) else { throw Self.failure("write", path) }
        guard rename(path, target) == 0 else { throw Self.failure("give the finished file its name", target) }
        unlink(recordPath)
        // Make the new name survive a power failure.
        let folder = open(URL(fileURLWithPath: target).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            _ = synchronize(folder)
            close(folder)
        }
    }

    /// Removes the part.
    func remove() {
        var (own, named) = (stat(), stat())
        // Not a file that another process has begun after this one was completed.
        guard fstat(descriptor, &own) == 0, lstat(path, &named) == 0, own.st_ino == named.st_ino else { return }
        unlink(recordPath)
        unlink(path)
    }

    private static func failure(_ action: String, _ path: String) -> InferenceError {
        InferenceError(.unwritableFile, "cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
