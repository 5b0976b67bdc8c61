// The types of tokens.

/// The type of a token. The raw values are those of `tokenizer.ggml.token_type`.
public enum TokenType: Int, Sendable {
    /// None of the others.
    case undefined = 0
    /// Ordinary text.
    case normal = 1
    /// Represents text that the vocabulary cannot express.
    case unknown = 2
    /// A mark rather than text, such as the end of a turn.
    case control = 3
    /// Text that was added to the vocabulary as a whole. It is matched before the text is split into words.
    case userDefined = 4
    /// A placeholder that occurs in no text.
    case unused = 5
    /// A single byte, written `<0xAB>`.
    case byte = 6
}

/// The types of a token, and its treatment of white space. A token can have several types.
struct TokenAttributes: OptionSet, Sendable {
    let rawValue: UInt16

    static let unknown = TokenAttributes(rawValue: 1 << 0)
    static let unused = TokenAttributes(rawValue: 1 << 1)
    static let normal = TokenAttributes(rawValue: 1 << 2)
    static let control = TokenAttributes(rawValue: 1 << 3)
    static let userDefined = TokenAttributes(rawValue: 1 << 4)
    static let byte = TokenAttributes(rawValue: 1 << 5)
    /// Absorbs the white space after it when it is matched in text.
    static let stripsRight = TokenAttributes(rawValue: 1 << 6)

    /// Absorbs the white space before it when it is matched in text.
    static let stripsLeft = TokenAttributes(rawValue: 1 << 8)

    /// Is shown in the answer, but its spelling becomes this token only on request, like that of a control token.
    static let visibleMark = TokenAttributes(rawValue: 1 << 7)

    /// Tokens that are matched before the text is split into words.
    static let special: TokenAttributes = [.control, .userDefined, .unknown]
    /// Tokens whose spelling becomes the token only on request, and that decoding to plain text omits.
    static let structural: TokenAttributes = [.control, .unknown]

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whether the spelling always means the token. False for marks of the format.
    var isText: Bool { isDisjoint(with: [.structural, .visibleMark]) }

    init(_ type: TokenType) {
        switch type {
        case .undefined: self = []
        case .normal: self = .normal
        case .unknown: self = .unknown
        case .control: self = .control
        case .userDefined: self = .userDefined
        case .unused: self = .unused
        case .byte: self = .byte
        }
    }

    /// The type that determines the treatment of the token.
    var type: TokenType {
        if contains(.control) { return .control }
        if contains(.unknown) { return .unknown }
        if contains(.userDefined) { return .userDefined }
        if contains(.normal) { return .normal }
        if contains(.byte) { return .byte }
        if contains(.unused) { return .unused }
        return .undefined
    }
}
