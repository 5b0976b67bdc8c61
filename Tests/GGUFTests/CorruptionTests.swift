// Files cut at every byte and files with random changes: each is either read without a fault or refused with a message.

import InferGGUF
import InferSupport
import TestSupport
import Testing

@Suite struct CorruptionTests {
    @Test("a file that ends before the end of its last tensor is refused")
    func truncation() throws {
        let whole = Sample.raw.bytes
        let complete = try GGUFFile(bytes: whole)
        let last = try #require(Sample.tensors.last)
        let padding = 32 - last.data.count
        for length in 0..<(whole.count - padding) {
            let error = #expect(throws: InferenceError.self, "cut at \(length)") {
                _ = try GGUFFile(bytes: Array(whole[..<length]))
            }
            guard let error else { continue }
            #expect(error.code == .malformedModel)
            let found = try #require(offset(in: error.message), "\(error)")
            #expect((0...length).contains(found), "\(error)")
        }
        for length in (whole.count - padding)..<whole.count {
            let file = try GGUFFile(bytes: Array(whole[..<length]))
            #expect(file.tensors.count == complete.tensors.count)
            #expect(file.data(of: last.name) == last.data)
        }
    }

    @Test("20,000 random changes", arguments: 0..<4)
    func mutation(stream: Int) {
        var generator = SeededGenerator(0x5eed_0000 + UInt64(stream))
        let original = Sample.raw.bytes
        var accepted = 0
        var refused = 0
        for _ in 0..<5_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) { Self.mutate(&bytes, using: &generator) }
            do throws(InferenceError) {
                let file = try GGUFFile(bytes: bytes)
                #expect(Self.readEverything(file, size: bytes.count))
                accepted += 1
            } catch {
                #expect(error.message.contains("test.gguf") && error.message.contains("byte"), "\(error)")
                #expect(!error.message.unicodeScalars.contains { $0.value < 32 }, "\(error)")
                refused += 1
            }
        }
        // Both outcomes must be frequent; otherwise the changes test nothing.
        #expect(accepted > 500 && refused > 500, "\(accepted) accepted, \(refused) refused")
    }

    private static let telling: [UInt64] = [
        0, 1, 4, 9, 13, 32, 255, 1 << 31, 1 << 32, 1 << 60, 1 << 62, 1 << 63, .max - 31, .max,
    ]

    private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard let index = bytes.indices.randomElement(using: &generator) else { return }
        let length = min(Int.random(in: 1...24, using: &generator), bytes.count - index)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[index] = .random(in: 0...255, using: &generator)
        case 2: bytes.removeSubrange(index..<index + length)
        case 3: bytes.insert(contentsOf: bytes[index..<index + length], at: index)
        case 4:
            let width = Bool.random(using: &generator) ? 4 : 8
            let value = [UInt8].littleEndian(telling.randomElement(using: &generator) ?? 0)
            for (place, byte) in zip(bytes.indices[index...], value.prefix(width)) { bytes[place] = byte }
        default: bytes.removeLast(length)
        }
    }

    /// Uses every accessor. Returns whether all tensors lie within the file.
    private static func readEverything(_ file: GGUFFile, size: Int) -> Bool {
        var isSound = true
        for key in file.metadata.keys {
            guard let value = file.metadata[key] else { return false }
            if case .array(let array) = value {
                let counts = [array.integers?.count, array.floats?.count, array.bools?.count, array.strings?.count]
                isSound = isSound && counts.allSatisfy { $0 == nil || $0 == array.count }
                isSound = isSound && (array.strings?.reduce(0) { $0 + $1.count } ?? 0) <= size
            }
            _ = try? file.metadata.integer(key)
            _ = try? file.metadata.string(key)
        }
        for tensor in file.tensors {
            isSound = isSound && file.bytes(of: tensor).count == tensor.byteCount
            isSound = isSound && tensor.rows * tensor.rowBytes == tensor.byteCount
            // Read the first and the last byte.
            let (first, last) = (file.bytes(of: tensor).first, file.bytes(of: tensor).last)
            isSound = isSound && (first == nil) == (tensor.byteCount == 0) && (last == nil) == (first == nil)
        }
        return isSound && file.tensors.reduce(0) { $0 + $1.byteCount } <= size
    }
}
