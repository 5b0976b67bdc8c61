// Q5_0: 5-bit quanta less 16, one scale.

enum Q5_0: BlockFormat32 {
    static let byteCount = 22

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackFiveBits(bits: block + 2, nibbles: block + 6, into: quanta, offset: 16)
        return (Float(halfAt: block), 0)
    }
}
