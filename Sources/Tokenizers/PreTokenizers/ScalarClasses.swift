// The Unicode properties that pre-tokenizers ask for, in a table that is fast to index.

/// Property flags of every Unicode scalar, in pages of 256 of which equal ones are stored once.
struct ScalarClasses: Sendable {
    /// Built on first use, in about ten milliseconds.
    static let shared = ScalarClasses()

    /// Scalars of later versions of Unicode count as unassigned, so that ids do not depend on the version the Swift runtime
    /// has. llama.cpp's tables stop there as well.
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

    /// The flags of `scalar`, which is less than 0x110000.
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
