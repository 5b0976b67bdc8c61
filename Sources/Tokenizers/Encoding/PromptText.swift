// Text of which only a part may hold special tokens.

/// A text that knows which of its bytes were written by someone who speaks to the model, and which by the format.
///
/// In a string literal of this type the text itself belongs to the format, and what is interpolated is plain, unless
/// it is interpolated as `mark:` or is a text of this type. It is encoded as a whole, so that tokens come out as in any
/// other text where the two meet; a spelling of a control token that touches plain bytes stays text.
public struct PromptText: Hashable, Sendable {
    private(set) var bytes: [UInt8] = []
    /// The plain bytes, in order; no range is empty, touches another or overlaps one.
    private(set) var plainRanges: [Range<Int>] = []

    /// Text of the format.
    public init(mark text: String) { bytes = Array(text.utf8) }

    /// Plain text.
    public init(plain text: String) { append(plain: text) }

    /// The text, without the difference.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func append(plain text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        note(plain: start..<bytes.count)
    }

    private mutating func note(plain range: Range<Int>) {
        guard !range.isEmpty else { return }
        if let last = plainRanges.last, last.upperBound == range.lowerBound {
            plainRanges[plainRanges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            plainRanges.append(range)
        }
    }

    static func += (text: inout PromptText, more: PromptText) {
        let start = text.bytes.count
        text.bytes += more.bytes
        for range in more.plainRanges {
            text.note(plain: range.lowerBound + start..<range.upperBound + start)
        }
    }

    static func + (text: PromptText, more: PromptText) -> PromptText {
        var sum = text
        sum += more
        return sum
    }
}

extension PromptText: ExpressibleByStringInterpolation {
    /// Text of the format.
    public init(stringLiteral text: String) { self.init(mark: text) }

    /// Text of the format, with plain text in it.
    public init(stringInterpolation: Interpolation) { self = stringInterpolation.text }

    /// Collects a text of the format with what is interpolated.
    public struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = PromptText(mark: "")

        /// An empty text.
        public init(literalCapacity: Int, interpolationCount: Int) {}

        /// Adds text of the format.
        public mutating func appendLiteral(_ literal: String) { text += PromptText(mark: literal) }

        /// Adds plain text.
        public mutating func appendInterpolation(_ plain: String) { text.append(plain: plain) }

        /// Adds text of the format.
        public mutating func appendInterpolation(mark: String) { text += PromptText(mark: mark) }

        /// Adds another text as it is.
        public mutating func appendInterpolation(_ other: PromptText) { text += other }
    }
}
