// A Unicode scalar together with the properties that decide where words end.

/// A scalar value (surrogates included, as they occur in broken text) with its property flags; or ``none``, what lies
/// beyond the end of a text.
struct ClassifiedScalar: Equatable, Sendable {
    private let rawValue: UInt32

    static let letterFlag: UInt8 = 1 << 0
    static let numberFlag: UInt8 = 1 << 1
    static let markFlag: UInt8 = 1 << 2
    static let punctuationFlag: UInt8 = 1 << 3
    static let symbolFlag: UInt8 = 1 << 4
    static let whitespaceFlag: UInt8 = 1 << 5

    /// No scalar: has no property, equals no character.
    static let none = ClassifiedScalar(rawValue: 0x1F_FFFF)

    private init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ value: UInt32, in classes: ScalarClasses) {
        rawValue = value | UInt32(classes[value]) << 24 | 1 << 31
    }

    var value: UInt32 { rawValue & 0x1F_FFFF }
    var exists: Bool { rawValue >> 31 != 0 }

    private func has(_ flags: UInt8) -> Bool { rawValue & UInt32(flags) << 24 != 0 }
    var isLetter: Bool { has(Self.letterFlag) }
    var isNumber: Bool { has(Self.numberFlag) }
    var isMark: Bool { has(Self.markFlag) }
    var isPunctuation: Bool { has(Self.punctuationFlag) }
    var isPunctuationOrSymbol: Bool { has(Self.punctuationFlag | Self.symbolFlag) }
    var isWhitespace: Bool { has(Self.whitespaceFlag) }
    var isLetterOrMark: Bool { has(Self.letterFlag | Self.markFlag) }

    /// Exists, and is none of white space, letter and number.
    var isOther: Bool { exists && !has(Self.whitespaceFlag | Self.letterFlag | Self.numberFlag) }
    /// Exists, and is none of white space, letter, mark and number.
    var isOtherThanMark: Bool { isOther && !isMark }
    var isNewline: Bool { value == 10 || value == 13 }
    var isASCIILetter: Bool { isASCIILowercase || isASCIIUppercase }
    var isASCIILowercase: Bool { (97...122).contains(value) }
    var isASCIIUppercase: Bool { (65...90).contains(value) }

    static func == (scalar: ClassifiedScalar, character: Unicode.Scalar) -> Bool { scalar.value == character.value }
}
