// The XXH64 checksum.

/// XXH64 with seed 0 (Collet, xxHash specification 0.1.1), of bytes that come in pieces. It is fast and detects damage, but not
/// deliberate changes.
package struct XXHash64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    private var lanes = (prime1 &+ prime2, prime2, UInt64(0), 0 &- prime1)
    private var count = 0
    /// Bytes that do not fill a block of 32 yet.
    private var rest: [UInt8] = []

    /// The hash of no bytes.
    package init() {}

    /// Appends bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        var bytes = bytes
        if !rest.isEmpty {
            let missing = min(32 - rest.count, bytes.count)
            rest += bytes[..<missing]
            bytes = UnsafeRawBufferPointer(rebasing: bytes[missing...])
            guard rest.count == 32 else { return }
            let block = rest
            rest = []
            block.withUnsafeBytes { takeBlocks($0) }
        }
        let whole = bytes.count & ~31
        takeBlocks(UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
        rest += bytes[whole...]
    }

    private mutating func takeBlocks(_ bytes: UnsafeRawBufferPointer) {
        for offset in stride(from: 0, to: bytes.count, by: 32) {
            lanes.0 = Self.round(lanes.0, Self.word(bytes, offset))
            lanes.1 = Self.round(lanes.1, Self.word(bytes, offset + 8))
            lanes.2 = Self.round(lanes.2, Self.word(bytes, offset + 16))
            lanes.3 = Self.round(lanes.3, Self.word(bytes, offset + 24))
        }
    }

    /// The hash of all bytes so far.
    package var value: UInt64 {
        var hash = Self.prime5
        if count >= 32 {
            hash = Self.rotate(lanes.0, 1) &+ Self.rotate(lanes.1, 7)
            hash = hash &+ Self.rotate(lanes.2, 12) &+ Self.rotate(lanes.3, 18)
            hash = Self.merge(Self.merge(Self.merge(Self.merge(hash, lanes.0), lanes.1), lanes.2), lanes.3)
        }
        hash &+= UInt64(count)
        return rest.withUnsafeBytes { Self.finish(hash, $0) }
    }

    /// Takes in the last bytes, less than a block.
    private static func finish(_ hash: UInt64, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = hash
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = rotate(hash ^ round(0, word(bytes, offset)), 27) &* prime1 &+ prime4
            offset += 8
        }
        if offset + 4 <= bytes.count {
            let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            hash = rotate(hash ^ half &* prime1, 23) &* prime2 &+ prime3
            offset += 4
        }
        for byte in bytes[offset...] { hash = rotate(hash ^ UInt64(byte) &* prime5, 11) &* prime1 }
        hash = (hash ^ hash >> 33) &* prime2
        hash = (hash ^ hash >> 29) &* prime3
        return hash ^ hash >> 32
    }

    /// The hash of `bytes`.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = XXHash64()
        hash.append(bytes)
        return hash.value
    }

    /// The hash of an array's bytes.
    package static func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { hash($0) } }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotate(lane &+ input &* prime2, 31) &* prime1
    }

    private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
        (hash ^ round(0, lane)) &* prime1 &+ prime4
    }
}
