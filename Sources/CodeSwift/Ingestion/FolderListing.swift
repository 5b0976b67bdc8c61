// The names in one folder.

import InferSupport

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
