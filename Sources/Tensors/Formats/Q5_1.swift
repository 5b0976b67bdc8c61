// Q5_1: 5-bit quanta, a scale and a minimum.

enum Q5_1: BlockFormat32 {
    static let byteCount = 24
    static let hasMinimum = true

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackFiveBits(bits: block + 4, nibbles: block + 8, into: quanta, offset: 0)
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }
}
