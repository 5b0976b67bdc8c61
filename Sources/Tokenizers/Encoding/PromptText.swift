// Prompt text, of which only the format parts can contain control tokens.

/// A text that records which of its bytes belong to the format and which are plain, that is, written by a user or a tool.
///
/// In a string literal of this type, the literal text belongs to the format. Interpolated values are plain, unless they have
/// the label `mark:` or are of this type. The text is encoded as a whole, so tokens can span the border between format and
/// plain text. The spelling of a control token stays text if any byte of it is plain.
public struct PromptText: Hashable, Sendable {
    package private(set) var bytes: [UInt8] = []
    /// The ranges of plain bytes, in order. Ranges are not empty and neither touch nor overlap.
    package private(set) var plainRanges: [Range<Int>] = []

    /// Text of the format.
    public init(mark text: String) { bytes = Array(text.utf8) }

    /// Plain text.
    public init(plain text: String) { append(plain: text) }

    /// Text of the format except for the plain `ranges` of its bytes, which are in order and do not overlap.
    package init(_ bytes: [UInt8], plain ranges: [Range<Int>]) {
        self.bytes = bytes
        for range in ranges { note(plain: range) }
    }

    /// The text as a string.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    package mutating func append(plain text: String) {
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

    package static func += (text: inout PromptText, more: PromptText) {
        let start = text.bytes.count
        text.bytes += more.bytes
        for range in more.plainRanges {
            text.note(plain: range.lowerBound + start..<range.upperBound + start)
        }
    }

    package static func + (text: PromptText, more: PromptText) -> PromptText {
        var sum = text
        sum += more
        return sum
    }
}

extension PromptText: ExpressibleByStringInterpolation {
    /// Text of the format.
    public init(stringLiteral text: String) { self.init(mark: text) }

    /// Text of the format with interpolated values.
    public init(stringInterpolation: Interpolation) { self = stringInterpolation.text }

    /// Collects the literal text and the interpolated values.
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

        /// Adds another prompt text, unchanged.
        public mutating func appendInterpolation(_ other: PromptText) { text += other }
    }
}
