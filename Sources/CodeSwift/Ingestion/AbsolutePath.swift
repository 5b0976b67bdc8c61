// A path from the top of the file system.

import InferSupport

/// Resolving paths against the file system.
enum AbsolutePath {
    /// `path` with links, `.` and `..` resolved; nil when there is nothing.
    static func resolve(_ path: String) -> String? {
        resolve(Array(path.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same in bytes, for names that need not be text.
    static func resolve(_ path: [UInt8]) -> [UInt8]? {
        let resolved = (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { realpath($0, nil) }
        }
        guard let resolved else { return nil }
        defer { free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }

    /// Whether the folders of a pattern, up to its first wildcard, lead over no links.
    static func isFree(ofLinks pattern: [UInt8]) -> Bool {
        let literal = pattern.prefix {
            ![UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\")].contains($0)
        }
        guard let slash = literal.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return true }
        let folder = Array(literal[..<slash])
        return resolve(folder).map { $0 == folder } ?? true
    }
}
