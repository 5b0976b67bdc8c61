// What the tokenizer knows about an entry of the vocabulary beside its text.

/// A token's kinds and how it treats the white space around it; an entry can be of several kinds at once.
struct TokenAttributes: OptionSet, Sendable {
    let rawValue: UInt16

    static let unknown = TokenAttributes(rawValue: 1 << 0)
    static let unused = TokenAttributes(rawValue: 1 << 1)
    static let normal = TokenAttributes(rawValue: 1 << 2)
    static let control = TokenAttributes(rawValue: 1 << 3)
    static let userDefined = TokenAttributes(rawValue: 1 << 4)
    static let byte = TokenAttributes(rawValue: 1 << 5)
    /// Takes the white space after it along when it is matched in text.
    static let stripsRight = TokenAttributes(rawValue: 1 << 6)

    /// Stays visible in the answer, and yet counts as itself only when the caller asks for it.
    static let visibleMark = TokenAttributes(rawValue: 1 << 7)

    /// Tokens that are looked for in the text before it is split into words.
    static let special: TokenAttributes = [.control, .userDefined, .unknown]
    /// Tokens that only count as themselves when the caller asks for it, and that plain text leaves out.
    static let structural: TokenAttributes = [.control, .unknown]

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Whether the spelling is the token wherever it stands, rather than a mark of the format's.
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

    /// The kind that decides how the token is treated.
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
