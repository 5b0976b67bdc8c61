// Text as Unicode scalars with the properties that decide where words end.

/// A text as classified scalars.
struct ScalarText: Sendable {
    private(set) var scalars: [ClassifiedScalar] = []
    /// Whether every scalar is one byte, so that indices of scalars are also indices of bytes.
    private(set) var isASCII = true

    /// Decodes `bytes[range]`.
    ///
    /// Multi-byte patterns are accepted even if they are overlong or encode surrogates. Every other invalid byte becomes
    /// U+FFFD. llama.cpp does the same, except that it crashes on values above U+10FFFF.
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

    /// A view of a part of the text.
    func window(_ range: Range<Int>) -> Window { Window(scalars: scalars, range: range) }

    /// A part of a text. Reading at or after its end gives ``ClassifiedScalar/none``.
    struct Window {
        fileprivate let scalars: [ClassifiedScalar]
        let range: Range<Int>

        subscript(index: Int) -> ClassifiedScalar { index < range.upperBound ? scalars[index] : .none }

        /// The first index from `start` on whose scalar does not satisfy `condition`.
        @inline(__always)
        func end(from start: Int, while condition: (ClassifiedScalar) -> Bool) -> Int {
            var index = start
            while index < range.upperBound, condition(scalars[index]) { index += 1 }
            return index
        }
    }
}

/// A scalar value with its property flags, or ``none`` for a position after the end of a text. The value can be a surrogate,
/// because invalid text can contain them.
struct ClassifiedScalar: Equatable, Sendable {
    private let rawValue: UInt32

    static let letterFlag: UInt8 = 1 << 0
    static let numberFlag: UInt8 = 1 << 1
    static let markFlag: UInt8 = 1 << 2
    static let punctuationFlag: UInt8 = 1 << 3
    static let symbolFlag: UInt8 = 1 << 4
    static let whitespaceFlag: UInt8 = 1 << 5

    /// No scalar. It has no property and equals no character.
    static let none = ClassifiedScalar(rawValue: 0x1F_FFFF)

    private init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ value: UInt32, in classes: ScalarClasses) {
        rawValue = value | UInt32(classes[value]) << 24 | 1 << 31
    }

    var value: UInt32 { rawValue & 0x1F_FFFF }
    var exists: Bool { rawValue >> 31 != 0 }

    /// Whether the scalar has one of the properties `flags`.
    func has(_ flags: UInt8) -> Bool { rawValue & UInt32(flags) << 24 != 0 }
    var isLetter: Bool { has(Self.letterFlag) }
    var isNumber: Bool { has(Self.numberFlag) }
    var isMark: Bool { has(Self.markFlag) }
    var isPunctuation: Bool { has(Self.punctuationFlag) }
    var isPunctuationOrSymbol: Bool { has(Self.punctuationFlag | Self.symbolFlag) }
    var isWhitespace: Bool { has(Self.whitespaceFlag) }
    var isLetterOrMark: Bool { has(Self.letterFlag | Self.markFlag) }

    /// Whether the scalar exists and is not white space, a letter or a number.
    var isOther: Bool { exists && !has(Self.whitespaceFlag | Self.letterFlag | Self.numberFlag) }
    /// Whether the scalar exists and is not white space, a letter, a mark or a number.
    var isOtherThanMark: Bool { isOther && !isMark }
    var isNewline: Bool { value == 10 || value == 13 }
    var isASCIILetter: Bool { isASCIILowercase || isASCIIUppercase }
    var isASCIILowercase: Bool { (97...122).contains(value) }
    var isASCIIUppercase: Bool { (65...90).contains(value) }

    static func == (scalar: ClassifiedScalar, character: Unicode.Scalar) -> Bool { scalar.value == character.value }
}

/// The property flags of every Unicode scalar, in pages of 256. Equal pages are stored once.
struct ScalarClasses: Sendable {
    /// The table. Building it on first use takes about ten milliseconds.
    static let shared = ScalarClasses()

    /// Scalars of later Unicode versions count as unassigned, so that token ids do not depend on the Swift runtime. llama.cpp's
    /// tables have the same version.
    private static let lastVersion = (major: 15, minor: 1)

    private var pageOffsets: [UInt32] = []
    private var flags: [UInt8] = []

    private init() {
        var known: [[UInt8]: UInt32] = [:]
        for page in UInt32(0)..<0x1100 {
            let content: [UInt8]
            switch page {
            case 0x400..<0xE00, 0xF00..<0x1100: content = Array(repeating: 0, count: 256)  // unassigned, private use
            default: content = (0..<256).map { Self.classify(page << 8 | $0) }
            }
            if let offset = known[content] {
                pageOffsets.append(offset)
            } else {
                let offset = UInt32(flags.count)
                known[content] = offset
                pageOffsets.append(offset)
                flags += content
            }
        }
    }

    /// The flags of `scalar`, which must be less than 0x110000.
    subscript(scalar: UInt32) -> UInt8 { flags[Int(pageOffsets[Int(scalar >> 8)] + scalar & 0xFF)] }

    private static func classify(_ value: UInt32) -> UInt8 {
        guard let properties = Unicode.Scalar(value)?.properties, let age = properties.age,
            age.major < lastVersion.major || age.major == lastVersion.major && age.minor <= lastVersion.minor
        else { return 0 }
        let space = properties.isWhitespace ? ClassifiedScalar.whitespaceFlag : 0
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return space | ClassifiedScalar.letterFlag
        case .decimalNumber, .letterNumber, .otherNumber:
            return space | ClassifiedScalar.numberFlag
        case .nonspacingMark, .spacingMark, .enclosingMark:
            return space | ClassifiedScalar.markFlag
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return space | ClassifiedScalar.punctuationFlag
        case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            return space | ClassifiedScalar.symbolFlag
        default:
            return space
        }
    }
}

/// The byte patterns of UTF-8.
enum UTF8Pattern {
    /// The length of the sequence that begins with `lead`: 1 for ASCII, otherwise 2 to 4; 0 for bytes that begin no sequence.
    static func length(lead: UInt8) -> Int {
        switch lead {
        case 0x00..<0x80: 1
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0..<0xF8: 4
        default: 0
        }
    }

    /// The first byte of `value`, which must be less than 0x110000.
    @inline(__always)
    static func lead(_ value: UInt32) -> UInt8 {
        switch value {
        case 0..<0x80: UInt8(value)
        case 0x80..<0x800: UInt8(0xC0 | value >> 6)
        case 0x800..<0x10000: UInt8(0xE0 | value >> 12)
        default: UInt8(0xF0 | value >> 18 & 0x07)
        }
    }

    /// Calls `body` with each of the one to four bytes of `value`, which must be less than 0x110000.
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
