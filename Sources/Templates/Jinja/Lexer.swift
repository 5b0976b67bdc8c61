// Splits the source of a template into text, tags and the tokens in tags.

/// A fault of a template, found while it is parsed or rendered.
struct Fault: Error {
    enum Kind {
        /// The template is wrong, or uses a value in a way that the value does not allow.
        case error
        /// The template called `raise_exception`.
        case raised
        /// The template needs more steps, depth or text than allowed.
        case limit
    }

    let kind: Kind
    let message: String
    /// The line of the source, from 1, where the parser knows it.
    var line: Int?

    init(_ message: String, line: Int? = nil, kind: Kind = .error) {
        self.message = message
        self.line = line
        self.kind = kind
    }
}

/// A token of a template.
struct Token: Equatable {
    enum Kind: Equatable {
        case text(String)
        case outputBegin, outputEnd
        case blockBegin, blockEnd
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        case mark(String)
        case end
    }

    let kind: Kind
    let line: Int

    /// The token as messages call it.
    var description: String {
        switch kind {
        case .text: "text"
        case .outputBegin: "{{"
        case .outputEnd: "}}"
        case .blockBegin: "{%"
        case .blockEnd: "%}"
        case .name(let name), .mark(let name): name
        case .string: "a string"
        case .integer, .float: "a number"
        case .end: "the end of the template"
        }
    }
}

/// Reads tokens by the rules of Jinja2 with `trim_blocks` and `lstrip_blocks`: the first line break after a block or comment is
/// removed, as is white space before it on its line. `-` removes all white space on its side, `+` none.
struct Lexer {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    /// Whether the text before `position` ends with a line break or is empty.
    private var isAtLineStart = true
    private(set) var tokens: [Token] = []

    /// Splits `source`.
    static func tokens(of source: String) throws(Fault) -> [Token] {
        var lexer = Lexer(source)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ source: String) {
        // All line breaks become \n. One at the end is dropped.
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(source.utf8.count)
        for scalar in source.unicodeScalars {
            if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
            scalars.append(scalar == "\n" ? "\n" : scalar)
        }
        for index in scalars.indices where scalars[index] == "\r" { scalars[index] = "\n" }
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
    }

    private mutating func run() throws(Fault) {
        while position < source.count {
            let start = position
            while position < source.count, !isTagStart(position) { position += 1 }
            let kind = position < source.count ? source[position + 1] : nil
            let sign = position + 2 < source.count && kind != nil ? source[position + 2] : " "
            var end = position
            if kind != nil {
                if sign == "-" {
                    while end > start, source[end - 1].isPythonSpace { end -= 1 }
                } else if sign != "+", kind != "{" {
                    end = strippedEnd(from: start, to: position)
                }
            }
            add(text: start..<end)
            countLines(start..<position)
            guard let kind else { break }
            position += sign == "-" || sign == "+" ? 3 : 2
            switch kind {
            case "#": try skipComment()
            case "{": try readTag(isBlock: false)
            default:
                if let body = rawBody() {
                    countLines(position..<body)
                    position = body
                    try readRaw()
                } else {
                    try readTag(isBlock: true)
                }
            }
            isAtLineStart = source[position - 1] == "\n"
        }
        tokens.append(Token(kind: .end, line: line))
    }

    private func isTagStart(_ index: Int) -> Bool {
        guard source[index] == "{", index + 1 < source.count else { return false }
        return source[index + 1] == "%" || source[index + 1] == "{" || source[index + 1] == "#"
    }

    /// The end of the text before a block without the white space on the line of the block.
    private func strippedEnd(from start: Int, to end: Int) -> Int {
        var index = end
        while index > start, source[index - 1] != "\n" {
            guard source[index - 1].isPythonSpace else { return end }
            index -= 1
        }
        return index > start || isAtLineStart ? index : end
    }

    private mutating func add(text range: Range<Int>) {
        guard !range.isEmpty else { return }
        var text = ""
        text.unicodeScalars.append(contentsOf: source[range])
        tokens.append(Token(kind: .text(text), line: line))
    }

    private mutating func countLines(_ range: Range<Int>) { line += source[range].count { $0 == "\n" } }

    private func has(_ spelling: String, at index: Int) -> Bool {
        source[min(index, source.count)...].starts(with: spelling.unicodeScalars)
    }

    private func afterSpace(_ index: Int) -> Int {
        var index = index
        while index < source.count, source[index].isPythonSpace { index += 1 }
        return index
    }

    /// If a tag ends at `index` with `mark` (`%}`, `}}`, `#}`), the position after it and the white space that it removes.
    private func end(_ mark: String, at index: Int) -> Int? {
        if has("-" + mark, at: index) { return afterSpace(index + 3) }
        let removesLineBreak = mark != "}}"
        if removesLineBreak, has("+" + mark, at: index) { return index + 3 }
        guard has(mark, at: index) else { return nil }
        return removesLineBreak && has("\n", at: index + 2) ? index + 3 : index + 2
    }

    private mutating func skipComment() throws(Fault) {
        let start = position
        while position < source.count {
            if let next = end("#}", at: position) {
                countLines(start..<next)
                position = next
                return
            }
            position += 1
        }
        throw Fault("a comment without end", line: line)
    }

    /// If the tag that begins at `position` is `raw`, where the raw text begins.
    private func rawBody() -> Int? {
        let name = afterSpace(position)
        guard has("raw", at: name) else { return nil }
        let end = afterSpace(name + 3)
        if has("-%}", at: end) { return afterSpace(end + 3) }
        return has("%}", at: end) ? end + 2 : nil
    }

    private mutating func readRaw() throws(Fault) {
        let start = position
        isAtLineStart = source[position - 1] == "\n"
        while position < source.count {
            if source[position] == "{", has("%", at: position + 1) {
                let sign = position + 2 < source.count ? source[position + 2] : " "
                let name = afterSpace(position + (sign == "-" || sign == "+" ? 3 : 2))
                if has("endraw", at: name), let next = end("%}", at: afterSpace(name + 6)) {
                    var end = position
                    if sign == "-" {
                        while end > start, source[end - 1].isPythonSpace { end -= 1 }
                    } else if sign != "+" {
                        end = strippedEnd(from: start, to: position)
                    }
                    add(text: start..<end)
                    countLines(start..<next)
                    position = next
                    return
                }
            }
            position += 1
        }
        throw Fault("a raw block without end", line: line)
    }

    // MARK: Inside tags

    private static let marks = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ].map { ($0, Array($0.unicodeScalars)) }

    private mutating func readTag(isBlock: Bool) throws(Fault) {
        tokens.append(Token(kind: isBlock ? .blockBegin : .outputBegin, line: line))
        var brackets: [Unicode.Scalar] = []
        while true {
            guard position < source.count else { throw Fault("a tag without end", line: line) }
            if brackets.isEmpty, let next = end(isBlock ? "%}" : "}}", at: position) {
                tokens.append(Token(kind: isBlock ? .blockEnd : .outputEnd, line: line))
                countLines(position..<next)
                position = next
                return
            }
            let scalar = source[position]
            if scalar.isPythonSpace {
                if scalar == "\n" { line += 1 }
                position += 1
            } else if scalar == "'" || scalar == "\"" {
                try readString(quote: scalar)
            } else if scalar.isASCII, (0x30...0x39).contains(scalar.value) {
                try readNumber()
            } else if scalar.isWord {
                try readName()
            } else {
                try readMark(&brackets)
            }
        }
    }

    private mutating func readMark(_ brackets: inout [Unicode.Scalar]) throws(Fault) {
        guard let (mark, spelling) = Self.marks.first(where: { source[position...].starts(with: $0.1) }) else {
            throw Fault("unexpected character \(String(source[position]).debugDescription)", line: line)
        }
        switch mark {
        case "(": brackets.append(")")
        case "[": brackets.append("]")
        case "{": brackets.append("}")
        case ")", "]", "}":
            guard let expected = brackets.popLast() else { throw Fault("unexpected '\(mark)'", line: line) }
            guard expected == spelling[0] else {
                throw Fault("unexpected '\(mark)', expected '\(expected)'", line: line)
            }
        default: break
        }
        tokens.append(Token(kind: .mark(mark), line: line))
        position += spelling.count
    }

    private mutating func readName() throws(Fault) {
        let start = position
        while position < source.count, source[position].isWord { position += 1 }
        guard position - start <= 200 else {
            throw Fault("a name of more than 200 characters", line: line, kind: .limit)
        }
        var name = ""
        name.unicodeScalars.append(contentsOf: source[start..<position])
        tokens.append(Token(kind: .name(name), line: line))
    }

    private mutating func readNumber() throws(Fault) {
        func isDigit(_ index: Int, _ radix: Int = 10) -> Bool {
            guard index < source.count, source[index].isASCII,
                let digit = Character(source[index]).hexDigitValue
            else { return false }
            return digit < radix
        }
        // Digits with single underscores between them.
        func digits(_ start: Int, _ radix: Int = 10) -> Int {
            var index = start
            while isDigit(index, radix)
                || (index > start && index < source.count && source[index] == "_" && isDigit(index + 1, radix))
            {
                index += 1
            }
            return index
        }
        func spelled(_ range: Range<Int>) -> String {
            String(String.UnicodeScalarView(source[range].filter { $0 != "_" }))
        }
        let start = position
        if source[start] == "0", start + 1 < source.count,
            let radix = [UnicodeScalar("x"): 16, "o": 8, "b": 2][
                Unicode.Scalar(source[start + 1].value | 0x20) ?? " "], isDigit(start + 2, radix)
        {
            position = digits(start + 2, radix)
            guard let value = Int(spelled(start + 2..<position), radix: radix) else {
                throw Fault("a number out of range", line: line)
            }
            tokens.append(Token(kind: .integer(value), line: line))
            return
        }
        position = digits(start)
        var isFloat = false
        if position < source.count, source[position] == ".", isDigit(position + 1) {
            isFloat = true
            position = digits(position + 1)
        }
        if position < source.count, source[position] == "e" || source[position] == "E" {
            var exponent = position + 1
            if exponent < source.count, source[exponent] == "+" || source[exponent] == "-" { exponent += 1 }
            if isDigit(exponent) {
                isFloat = true
                position = digits(exponent)
            }
        }
        let text = spelled(start..<position)
        if isFloat, let value = Double(text) {
            tokens.append(Token(kind: .float(value), line: line))
        } else if !isFloat, let value = Int(text) {
            tokens.append(Token(kind: .integer(value), line: line))
        } else {
            throw Fault("a number out of range", line: line)
        }
    }

    private mutating func readString(quote: Unicode.Scalar) throws(Fault) {
        let first = line
        var text = ""
        position += 1
        while position < source.count {
            let scalar = source[position]
            position += 1
            if scalar == quote {
                tokens.append(Token(kind: .string(text), line: first))
                return
            }
            if scalar == "\n" { line += 1 }
            if scalar == "\\" {
                try readEscape(into: &text)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        throw Fault("a string without end", line: first)
    }

    /// Reads what follows a backslash, as Python does. Unknown escapes stay as they are.
    private mutating func readEscape(into text: inout String) throws(Fault) {
        guard position < source.count else { return }
        let scalar = source[position]
        position += 1
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}",
            "v": "\u{B}",
        ]
        func isDigit(_ index: Int, _ radix: Int) -> Bool {
            guard index < source.count, source[index].isASCII,
                let digit = Character(source[index]).hexDigitValue
            else { return false }
            return digit < radix
        }
        if let plain = simple[scalar] {
            text.unicodeScalars.append(plain)
        } else if scalar == "\n" {
            line += 1
        } else if let length = [UnicodeScalar("x"): 2, "u": 4, "U": 8][scalar] {
            guard (position..<position + length).allSatisfy({ isDigit($0, 16) }) else {
                throw Fault("an incomplete \\\(scalar) escape in a string", line: line)
            }
            let digits = String(String.UnicodeScalarView(source[position..<position + length]))
            position += length
            text.unicodeScalars.append(UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}")
        } else if isDigit(position - 1, 8) {
            let start = position - 1
            while position < start + 3, isDigit(position, 8) { position += 1 }
            let digits = String(String.UnicodeScalarView(source[start..<position]))
            text.unicodeScalars.append(UInt32(digits, radix: 8).flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}")
        } else {
            text.unicodeScalars.append("\\")
            text.unicodeScalars.append(scalar)
        }
    }
}
