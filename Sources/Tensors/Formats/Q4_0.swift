// Q4_0: 4-bit quanta less 8, one scale.

enum Q4_0: BlockFormat32 {
    static let byteCount = 18

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        unpackNibbles(block + 2, into: quanta) { Int8($0) - 8 }
        return (Float(halfAt: block), 0)
    }
}
