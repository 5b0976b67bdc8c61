// Text as classified scalars: what pre-tokenizers work on.

/// The scalars of a piece of text.
struct ScalarText: Sendable {
    private(set) var scalars: [ClassifiedScalar] = []
    /// Whether every scalar is one byte, so that indices of scalars are those of bytes.
    private(set) var isASCII = true

    /// Decodes `bytes[range]`.
    ///
    /// Well-formed multi-byte patterns are taken as they are, even overlong ones and surrogates; every other byte
    /// becomes U+FFFD. That is what llama.cpp does, except for values beyond U+10FFFF, which end its process.
    mutating func decode(_ bytes: [UInt8], _ range: Range<Int>) {
        let classes = ScalarClasses.shared
        scalars.removeAll(keepingCapacity: true)
        scalars.reserveCapacity(range.count)
        isASCII = true
        var index = range.lowerBound
        while index < range.upperBound {
            let lead = bytes[index]
            if lead < 0x80 {
                scalars.append(ClassifiedScalar(UInt32(lead), in: classes))
                index += 1
                continue
            }
            isASCII = false
            let length = UTF8Pattern.length(lead: lead)
            if length > 1, index + length <= range.upperBound {
                var value = UInt32(lead) & (0xFF >> UInt32(length + 1))
                var isSound = true
                for following in bytes[index + 1..<index + length] {
                    isSound = isSound && following & 0xC0 == 0x80
                    value = value << 6 | UInt32(following & 0x3F)
                }
                if isSound, value <= 0x10FFFF {
                    scalars.append(ClassifiedScalar(value, in: classes))
                    index += length
                    continue
                }
            }
            scalars.append(ClassifiedScalar(0xFFFD, in: classes))
            index += 1
        }
    }

    /// A view of part of the text outside of which nothing exists.
    func window(_ range: Range<Int>) -> Window { Window(scalars: scalars, range: range) }

    /// Part of a text. Any index may be read; beyond the end stands ``ClassifiedScalar/none``.
    struct Window {
        fileprivate let scalars: [ClassifiedScalar]
        let range: Range<Int>

        subscript(index: Int) -> ClassifiedScalar { index < range.upperBound ? scalars[index] : .none }

        /// The first index from `start` on where `condition` does not hold.
        @inline(__always)
        func end(from start: Int, while condition: (ClassifiedScalar) -> Bool) -> Int {
            var index = start
            while index < range.upperBound, condition(scalars[index]) { index += 1 }
            return index
        }
    }
}
