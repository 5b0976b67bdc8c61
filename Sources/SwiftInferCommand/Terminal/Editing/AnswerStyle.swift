// The look of an answer on a terminal: code in another colour, drafted tokens underlined.

/// Makes the output for the text of an answer that arrives in pieces.
///
/// Each piece of output ends in the terminal's own style, so that an answer can be stopped anywhere. Control characters of the model
/// do not reach the terminal.
package struct AnswerStyle {
    /// A part of the text, and whether a draft contained it.
    package typealias Span = (text: String, isDrafted: Bool)

    private let tintsCode: Bool
    private let underlinesDrafts: Bool
    /// The mark that ends the current block of code.
    private var fence: (mark: Unicode.Scalar, count: Int)?
    /// The beginning of a line, which can be a fence.
    private var withheld: [(scalar: Unicode.Scalar, isDrafted: Bool)] = []
    private var isLineStart = true
    /// Whether the current line is a fence, which has the colour of the code.
    private var isFenceLine = false

    private var output = ""
    private var openStyle: String?

    /// A style at the beginning of an answer.
    package init(tintsCode: Bool, underlinesDrafts: Bool) {
        (self.tintsCode, self.underlinesDrafts) = (tintsCode, underlinesDrafts)
    }

    /// The output for the next parts of the text. The beginning of a line can be held back.
    package mutating func append(_ spans: [Span]) -> String {
        for (text, isDrafted) in spans {
            for scalar in text.unicodeScalars { append(scalar, isDrafted) }
        }
        return take()
    }

    /// The output for the rest at the end of the answer.
    package mutating func flush() -> String {
        release()
        return take()
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ isDrafted: Bool) {
        switch scalar {
        case "\r": return
        case "\n":
            release()
            write(scalar, isDrafted)
            (isLineStart, isFenceLine) = (true, false)
        case _ where isLineStart && tintsCode && (scalar == " " || scalar == "`" || scalar == "~"):
            // A fence is at least three equal marks after at most three blanks.
            let marks = withheld.filter { $0.scalar != " " }
            let isOver = scalar == " " ? !marks.isEmpty || withheld.count == 3 : marks.contains { $0.scalar != scalar }
            if isOver { release() }
            if isLineStart { withheld.append((scalar, isDrafted)) } else { write(scalar, isDrafted) }
        default:
            release()
            write(scalar, isDrafted)
        }
    }

    /// Decides what the withheld beginning of a line is, and writes it.
    private mutating func release() {
        guard isLineStart else { return }
        isLineStart = false
        let marks = withheld.filter { $0.scalar != " " }
        let opens = fence == nil
        if marks.count >= 3, let mark = marks.first?.scalar,
            fence.map({ $0.mark == mark && $0.count <= marks.count }) ?? true
        {
            isFenceLine = true
            fence = opens ? (mark, marks.count) : nil
        }
        for (scalar, isDrafted) in withheld { write(scalar, isDrafted) }
        withheld = []
    }

    private mutating func write(_ scalar: Unicode.Scalar, _ isDrafted: Bool) {
        var codes: [String] = []
        if tintsCode, fence != nil || isFenceLine { codes.append("36") }
        if underlinesDrafts, isDrafted, scalar != "\n" { codes.append("4") }
        let style = codes.isEmpty ? nil : codes.joined(separator: ";")
        if style != openStyle {
            if openStyle != nil { output += "\u{1B}[0m" }
            if let style { output += "\u{1B}[\(style)m" }
            openStyle = style
        }
        let isControl = scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
        output.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }

    private mutating func take() -> String {
        if openStyle != nil { output += "\u{1B}[0m" }
        openStyle = nil
        defer { output = "" }
        return output
    }
}

/// Tells which parts of an answer were drafted. The text can leave out parts of the tokens' bytes, such as marks of thoughts.
package struct DraftMarks {
    private var bytes: [UInt8] = []
    private var isDrafted: [Bool] = []

    /// Tokens that are known and whose text has not come; more are forgotten.
    private static let limit = 1 << 16

    /// Marks of no tokens.
    package init() {}

    /// Takes note of a token.
    package mutating func append(_ token: [UInt8], isDrafted drafted: Bool) {
        bytes += token
        isDrafted += repeatElement(drafted, count: token.count)
        let excess = bytes.count - Self.limit
        if excess > 0 { drop(excess) }
    }

    /// The next part of the answer, divided by whether it was drafted.
    package mutating func spans(of text: String) -> [AnswerStyle.Span] {
        let wanted = Array(text.utf8)
        let starts = bytes.count < wanted.count ? 0..<0 : 0..<bytes.count - wanted.count + 1
        guard let start = starts.first(where: { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }) else {
            return [(text, false)]
        }
        var spans: [AnswerStyle.Span] = []
        var place = start
        for scalar in text.unicodeScalars {
            place += UTF8.width(scalar)
            if spans.last?.isDrafted != isDrafted[place - 1] { spans.append(("", isDrafted[place - 1])) }
            spans[spans.count - 1].text.unicodeScalars.append(scalar)
        }
        drop(place)
        return spans
    }

    private mutating func drop(_ count: Int) {
        bytes.removeFirst(count)
        isDrafted.removeFirst(count)
    }
}
