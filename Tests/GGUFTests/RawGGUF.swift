// A GGUF file built from bytes, so that a test can make any part of it wrong. It does not use the writer under test.

import InferGGUF
import InferSupport
import Testing

/// The parts of a file in file order. Counts and padding follow from the parts unless a test sets them.
struct RawGGUF {
    var magic: [UInt8] = Array("GGUF".utf8)
    var version: [UInt8] = .littleEndian(UInt32(3))
    /// Counts for the header, if they are to be wrong.
    var tensorCount: UInt64?
    var keyCount: UInt64?
    /// The bytes of each metadata entry: key, type, value.
    var entries: [[UInt8]] = []
    /// The bytes of each directory entry.
    var tensors: [[UInt8]] = []
    /// The data begins at a multiple of this.
    var alignment = 32
    var data: [UInt8] = []

    /// Size of the header: magic, version and the two counts. The first metadata entry begins here.
    static let headerSize = 24

    /// The bytes of the file.
    var bytes: [UInt8] {
        var result = magic + version
        result += .littleEndian(tensorCount ?? UInt64(tensors.count))
        result += .littleEndian(keyCount ?? UInt64(entries.count))
        result += entries.joined()
        result += tensors.joined()
        while !result.count.isMultiple(of: alignment) { result.append(0) }
        return result + data
    }

    /// A metadata entry of any type with the bytes of its value.
    static func entry(_ key: String, type: UInt32, _ value: [UInt8]) -> [UInt8] {
        .string(key) + .littleEndian(type) + value
    }

    /// A metadata entry with an array.
    static func array(_ key: String, of type: UInt32, count: UInt64, _ elements: [UInt8]) -> [UInt8] {
        entry(key, type: 9, .littleEndian(type) + .littleEndian(count) + elements)
    }

    /// A directory entry.
    static func tensor(
        _ name: String, shape: [UInt64], dimensions: UInt32? = nil, type: UInt32 = 0, offset: UInt64 = 0
    ) -> [UInt8] {
        .string(name) + .littleEndian(dimensions ?? UInt32(shape.count)) + shape.flatMap { [UInt8].littleEndian($0) }
            + .littleEndian(type) + .littleEndian(offset)
    }

    /// A file with these metadata entries and no tensors.
    init(entries: [[UInt8]] = []) { self.entries = entries }

    /// A file with these directory entries and `dataCount` bytes of data.
    init(tensors: [[UInt8]], dataCount: Int = 0) {
        self.tensors = tensors
        data = (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// Parses the file.
    func open() throws(InferenceError) -> GGUFFile { try GGUFFile(bytes: bytes) }
}

extension [UInt8] {
    /// The bytes of `value`, least significant first.
    static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        Swift.withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// A 64-bit length and the bytes of `text`. The length is correct unless `length` is given.
    static func string(_ text: String, length: UInt64? = nil) -> [UInt8] {
        littleEndian(length ?? UInt64(text.utf8.count)) + Array(text.utf8)
    }
}

extension GGUFFile {
    /// Parses bytes as a file called `test.gguf`.
    convenience init(bytes: [UInt8]) throws(InferenceError) {
        try self.init(MappedFile(contents: bytes, path: "test.gguf"))
    }

    /// The data of the tensor `name`.
    func data(of name: String) -> [UInt8]? { tensor(name).map { Array(bytes(of: $0)) } }
}

/// Expects that opening the file throws `malformedModel`. The message must contain the file name, all `phrases`, and an
/// offset: `position`, or by default any offset within the file.
func expectMalformed(
    _ file: RawGGUF, _ phrases: String..., at position: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    let error = #expect(throws: InferenceError.self, sourceLocation: sourceLocation) { _ = try file.open() }
    guard let error else { return }
    #expect(error.code == .malformedModel, "\(error)", sourceLocation: sourceLocation)
    for phrase in phrases + ["test.gguf"] {
        #expect(error.message.contains(phrase), "\(error) lacks \(phrase)", sourceLocation: sourceLocation)
    }
    let found = offset(in: error.message)
    #expect(found != nil, "\(error) has no offset", sourceLocation: sourceLocation)
    guard let found else { return }
    #expect((0...file.bytes.count).contains(found), "\(error)", sourceLocation: sourceLocation)
    if let position { #expect(found == position, "\(error)", sourceLocation: sourceLocation) }
}

/// The number at the end of a message, `… (at byte N)`.
func offset(in message: String) -> Int? {
    let digits = message.dropLast().reversed().prefix { $0.isNumber }
    let number = String(digits.reversed())
    return message.hasSuffix("(at byte \(number))") ? Int(number) : nil
}
