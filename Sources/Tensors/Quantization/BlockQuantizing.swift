// What quantising to a block format takes: how one block is written, and how its quanta are packed.

/// A format that values can be quantised to.
protocol BlockQuantizing: SendableMetatype {
    /// Elements of a block.
    static var blockSize: Int { get }
    /// Bytes of a block.
    static var byteCount: Int { get }
    /// Writes the block that represents `blockSize` finite values, with the least squared error that the search finds.
    ///
    /// - Returns: False, and whatever in the block, when the values are too large for its factors.
    static func quantize(_ values: UnsafePointer<Lanes>, into block: UnsafeMutableRawPointer) -> Bool
}

extension BlockQuantizing where Self: BlockFormat32 {
    static var blockSize: Int { 32 }
}

extension BlockQuantizing where Self: BlockFormat256 {
    static var blockSize: Int { 256 }
}

extension UnsafeMutableRawPointer {
    /// Stores `value` as f16 at `offset` and returns the value it has there; infinite when it is too large.
    func storeHalf(_ value: Float, at offset: Int) -> Float {
        let bits = value.halfBits
        storeBytes(of: bits.littleEndian, toByteOffset: offset, as: UInt16.self)
        return Float(halfBits: bits)
    }

    /// Stores 32 nibbles: sixteen bytes whose low halves are the first sixteen.
    func storeNibbles(_ low: SIMD16<UInt8>, _ high: SIMD16<UInt8>, at offset: Int) {
        storeBytes(of: low | high &<< 4, toByteOffset: offset, as: SIMD16<UInt8>.self)
    }

    /// Stores 32 quanta of five bits: the fifth ones in a word at `offset`, the nibbles after it.
    func storeFiveBits(_ low: SIMD16<UInt8>, _ high: SIMD16<UInt8>, at offset: Int) {
        var bits: UInt32 = 0
        for i in 0..<16 { bits |= UInt32(low[i] >> 4) << UInt32(i) | UInt32(high[i] >> 4) << UInt32(i + 16) }
        storeBytes(of: bits.littleEndian, toByteOffset: offset, as: UInt32.self)
        storeNibbles(low & 15, high & 15, at: offset + 4)
    }
}

extension SIMD16<Float> {
    /// Integers from 0 to 255 as bytes.
    var bytes: SIMD16<UInt8> { SIMD16<UInt8>(truncatingIfNeeded: integers) }
}

/// Lends room for `count` lanes.
func withLanes<R>(_ count: Int, _ body: (UnsafeMutablePointer<Lanes>) -> R) -> R {
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: count) { lanes in
        lanes.initialize(repeating: Lanes())
        // A capacity of at least one always has an address.
        return body(lanes.baseAddress.unsafelyUnwrapped)
    }
}
