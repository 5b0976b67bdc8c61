// A cursor over the bytes of a file that never reads past their end.

import InferSupport

/// Reads little-endian values one after the other and throws ``InferenceError/Code-swift.struct/malformedModel`` where the
/// bytes run out; every message names the item being read, the file and the offset.
struct ByteReader {
    let file: MappedFile
    private(set) var offset = 0

    init(_ file: MappedFile) { self.file = file }

    private var bytes: UnsafeRawBufferPointer { file.bytes }

    var remaining: Int { bytes.count - offset }

    /// An error about the item at `position`, or the one at the cursor.
    func malformed(_ what: String, at position: Int? = nil) -> InferenceError {
        InferenceError(.malformedModel, "\(file.path): \(what) (at byte \(position ?? offset))")
    }

    /// Moves past `count` bytes and returns where they started.
    @discardableResult
    mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws(InferenceError) -> Int {
        guard count >= 0, count <= remaining else {
            throw malformed("\(what()) needs \(count) bytes, the file has \(remaining) left")
        }
        defer { offset += count }
        return offset
    }

    mutating func read<T: BitwiseCopyable>(
        _ type: T.Type, _ what: @autoclosure () -> String
    ) throws(InferenceError) -> T {
        let start = try skip(MemoryLayout<T>.size, what())
        return bytes.loadUnaligned(fromByteOffset: start, as: type)
    }

    /// Reads a 64-bit length and moves past that many bytes; returns their range.
    mutating func readString(_ what: @autoclosure () -> String) throws(InferenceError) -> Range<Int> {
        let position = offset
        let length = try read(UInt64.self, "the length of \(what())")
        guard let count = Int(exactly: length), count <= remaining else {
            throw malformed("\(what()) claims \(length) bytes, the file has \(remaining) left", at: position)
        }
        let start = try skip(count, what())
        return start..<start + count
    }

    /// Moves past `count` strings, the elements of `what`.
    mutating func skipStrings(_ count: Int, _ what: @autoclosure () -> String) throws(InferenceError) {
        for index in 0..<count {
            // Vocabularies are long: only the string that does not fit takes the way that can describe it.
            if remaining >= 8, case let length = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                length <= UInt64(remaining - 8)
            {
                offset += 8 + Int(length)
            } else {
                _ = try readString("element \(index) of \(what())")
            }
        }
    }

    /// The bytes at `range` as text; what is not UTF-8 becomes U+FFFD.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
