// Writing what a sequence keeps to a file, and reading it back.

package import InferSupport

/// Takes the next bytes of a file that is written.
package typealias ByteSink = (UnsafeRawBufferPointer) throws(InferenceError) -> Void

/// The bytes of a file that is read, from front to back.
package struct ByteSource {
    private var rest: UnsafeRawBufferPointer

    /// All of `bytes`, which must outlive it.
    package init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    /// Whether nothing is left.
    package var isAtEnd: Bool { rest.isEmpty }

    /// The next `count` bytes.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile` if there are fewer.
    package mutating func next(_ count: Int) throws(InferenceError) -> UnsafeRawBufferPointer {
        guard (0...rest.count).contains(count) else {
            throw InferenceError(.unreadableFile, "\(count) bytes of a saved state are missing")
        }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }

    /// The next eight bytes, a little-endian count from 0 to `limit`.
    ///
    /// - Throws: ``InferenceError`` with `unreadableFile`.
    package mutating func nextCount(upTo limit: Int) throws(InferenceError) -> Int {
        let value = UInt64(littleEndian: try next(8).loadUnaligned(as: UInt64.self))
        guard value <= UInt64(max(0, limit)) else {
            throw InferenceError(
                .unreadableFile, "a count of a saved state is \(value), but at most \(limit) makes sense")
        }
        return Int(value)
    }
}
