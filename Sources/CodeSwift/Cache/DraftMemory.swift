// What a drafter has learned, as plain values and as bytes of a file.

import InferSupport
import InferTokenizers

/// What the CodeSwift drafter has learned, as plain values that can be stored in a file.
package struct DraftMemory: Equatable, Sendable {
    /// Earlier outputs, with −1 after each.
    var history: [TokenID] = []
    /// The model's top tokens by context: ``PreferenceSource/recordLength`` numbers each.
    var preferences: [Int32] = []
    /// The outcomes of predictions: ``AcceptanceTable/tallies``.
    var tallies: [Float] = []
    /// The weights of the sources: ``PredictionMixer/weights``.
    var weights: [Float] = []

    package init() {}

    /// For tests. Number of tokens in earlier outputs.
    package var historyCount: Int { history.count { $0 >= 0 } }

    /// For tests. Number of contexts with top tokens.
    package var preferenceCount: Int { preferences.count / PreferenceSource.recordLength }
}

/// All numbers are little-endian:
///
/// | offset | type | content |
/// |-------:|------|---------|
/// | 0      | 8 bytes | `SICACHE` and zero |
/// | 8      | u32  | version, 2 |
/// | 12     | u32  | length of the repository's path p, in bytes |
/// | 16     | u64  | tokenizer fingerprint |
/// | 24     | 4 × u64 | numbers of history tokens, of numbers about preferences, of tallies, of weights |
/// | 56     | p bytes | the repository's path |
/// | 56 + p | i32, i32, f32, f32 | history, preferences, tallies, weights |
/// | then   | u64 | XXH64 of everything before |
extension DraftMemory {
    private static let magic = Array("SICACHE\0".utf8)
    private static let version: UInt32 = 2
    private static let headerSize = 56

    /// Maximum count of each kind of number, in file order.
    private static let mostNumbers = [
        HistorySource.standardLimit, PreferenceSource.standardCapacity * PreferenceSource.recordLength,
        AcceptanceTable.tallyCount, PredictionMixer.weightCount,
    ]

    /// The contents of a file for the repository at `repository` and the tokenizer with this fingerprint.
    func encoded(repository: String, fingerprint: UInt64) -> [UInt8] {
        var bytes = Self.magic
        let counts = [history.count, preferences.count, tallies.count, weights.count]
        bytes.reserveCapacity(Self.headerSize + 4 * counts.reduce(0, +) + 4096)
        bytes.appendLittleEndian(Self.version)
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: repository.utf8.count))
        bytes.appendLittleEndian(fingerprint)
        for count in counts { bytes.appendLittleEndian(UInt64(count)) }
        bytes += repository.utf8
        for value in history { bytes.appendLittleEndian(value) }
        for value in preferences { bytes.appendLittleEndian(value) }
        for value in tallies + weights { bytes.appendLittleEndian(value.bitPattern) }
        bytes.appendLittleEndian(XXHash64.hash(bytes))
        return bytes
    }

    /// Whether the bytes are a file in another version of the format.
    static func isOfOtherVersion(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= headerSize && bytes.starts(with: magic)
            && UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: magic.count, as: UInt32.self)) != version
    }

    /// Reads the contents of a file and checks every value. Nil if the file is damaged, has another version, or was
    /// written for another repository or tokenizer, or for a vocabulary of another size.
    init?(_ bytes: UnsafeRawBufferPointer, repository: String, fingerprint: UInt64, vocabularyCount: Int) {
        func number<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ type: T.Type) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        let path = Array(repository.utf8)
        guard bytes.count >= Self.headerSize + path.count + 8, bytes.starts(with: Self.magic),
            number(8, UInt32.self) == Self.version, number(12, UInt32.self) == path.count,
            number(16, UInt64.self) == fingerprint,
            bytes[Self.headerSize..<Self.headerSize + path.count].elementsEqual(path)
        else { return nil }
        let counts = (0..<4).map { number(24 + 8 * $0, UInt64.self) }
        let start = Self.headerSize + path.count
        let payload = bytes.count - start - 8
        // Checks the lengths before anything that depends on them: a damaged file can claim gigabytes. Checks each
        // count on its own first, so that the sum cannot overflow.
        guard zip(counts, Self.mostNumbers).allSatisfy({ $0 <= $1 }), counts.reduce(0, +) == payload / 4,
            payload.isMultiple(of: 4),
            number(bytes.count - 8, UInt64.self)
                == XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes.dropLast(8)))
        else { return nil }
        let values = (0..<payload / 4).map { number(start + 4 * $0, UInt32.self) }
        var rest = values[...]
        func next(_ count: UInt64) -> ArraySlice<UInt32> {
            defer { rest = rest.dropFirst(Int(count)) }
            return rest.prefix(Int(count))
        }
        history = next(counts[0]).map { Int32(bitPattern: $0) }
        preferences = next(counts[1]).map { Int32(bitPattern: $0) }
        tallies = next(counts[2]).map { Float(bitPattern: $0) }
        weights = next(counts[3]).map { Float(bitPattern: $0) }
        let tokens = -1..<Int32(clamping: vocabularyCount)
        guard history.allSatisfy({ tokens.contains($0) }), PreferenceSource.areRecords(preferences, of: tokens),
            AcceptanceTable.areTallies(tallies), PredictionMixer.areWeights(weights)
        else { return nil }
    }
}
