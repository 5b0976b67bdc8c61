// A GGUF file put together byte by byte, so that it can be wrong in every way; independent of the writer under test.

import InferGGUF
import InferSupport
import Testing

/// The parts of a file in the order they are written; counts and padding follow from them unless set to something else.
struct RawGGUF {
    var magic: [UInt8] = Array("GGUF".utf8)
    var version: [UInt8] = .littleEndian(UInt32(3))
    /// What the header claims, where it is not the truth.
    var tensorCount: UInt64?
    var keyCount: UInt64?
    /// Whole metadata entries: key, type, value.
    var entries: [[UInt8]] = []
    /// Whole directory entries.
    var tensors: [[UInt8]] = []
    /// Zeros are put before the data up to a multiple of this.
    var alignment = 32
    var data: [UInt8] = []

    /// Bytes of magic, version and the two counts: where the first metadata entry begins.
    static let headerSize = 24

    /// The file.
    var bytes: [UInt8] {
        var result = magic + version
        result += .littleEndian(tensorCount ?? UInt64(tensors.count))
        result += .littleEndian(keyCount ?? UInt64(entries.count))
        result += entries.joined()
        result += tensors.joined()
        while !result.count.isMultiple(of: alignment) { result.append(0) }
        return result + data
    }

    /// A metadata entry of any type, its value given in bytes.
    static func entry(_ key: String, type: UInt32, _ value: [UInt8]) -> [UInt8] {
        .string(key) + .littleEndian(type) + value
    }

    /// A metadata entry holding an array.
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

    /// A file with these metadata entries only.
    init(entries: [[UInt8]] = []) { self.entries = entries }

    /// A file with these directory entries and that many bytes of data.
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

    /// A length in 64 bits, that of `text` unless another is claimed, and the text.
    static func string(_ text: String, length: UInt64? = nil) -> [UInt8] {
        littleEndian(length ?? UInt64(text.utf8.count)) + Array(text.utf8)
    }
}

extension GGUFFile {
    /// Parses bytes as if they were a file called `test.gguf`.
    convenience init(bytes: [UInt8]) throws(InferenceError) {
        try self.init(MappedFile(contents: bytes, path: "test.gguf"))
    }

    /// The data of the tensor of that name.
    func data(of name: String) -> [UInt8]? { tensor(name).map { Array(bytes(of: $0)) } }
}

/// Expects the file to be refused as malformed, with a message that names it, the culprit, and an offset: exactly
/// `position`, or any within the file.
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
