// Q8_0: 8-bit quanta, one scale.

enum Q8_0: BlockFormat32 {
    static let byteCount = 34

    static func unpack(_ block: UnsafeRawPointer, into quanta: UnsafeMutablePointer<Int8>) -> (
        scale: Float, minimum: Float
    ) {
        for i in 0..<32 { quanta[i] = block.load(fromByteOffset: 2 + i, as: Int8.self) }
        return (Float(halfAt: block), 0)
    }
}
