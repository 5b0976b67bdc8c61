// Q4_1: 4-bit quanta, a scale and a minimum.

enum Q4_1: BlockFormat32 {
    static let byteCount = 20
    static let hasMinimum = true

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 4, into: quanta) { Int8($0) }
        return (Float(halfAt: block), Float(halfAt: block + 2))
    }
}
