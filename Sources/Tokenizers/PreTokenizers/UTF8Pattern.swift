// The byte patterns of UTF-8.

/// What the bytes of UTF-8 say about themselves.
enum UTF8Pattern {
    /// The bytes of the sequence a lead byte announces: 2–4; 1 for ASCII; 0 for bytes that lead nothing.
    static func length(lead: UInt8) -> Int {
        switch lead {
        case 0x00..<0x80: 1
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0..<0xF8: 4
        default: 0
        }
    }

    /// Calls `body` with the one to four bytes of `value`'s pattern; `value` is less than 0x110000.
    @inline(__always)
    static func encode(_ value: UInt32, _ body: (UInt8) -> Void) {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | value >> shift & 0x3F) }
        switch value {
        case 0..<0x80:
            body(UInt8(value))
        case 0x80..<0x800:
            body(UInt8(0xC0 | value >> 6))
            body(continuation(0))
        case 0x800..<0x10000:
            body(UInt8(0xE0 | value >> 12))
            body(continuation(6))
            body(continuation(0))
        default:
            body(UInt8(0xF0 | value >> 18 & 0x07))
            body(continuation(12))
            body(continuation(6))
            body(continuation(0))
        }
    }
}
