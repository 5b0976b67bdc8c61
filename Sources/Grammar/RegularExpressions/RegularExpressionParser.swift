// Regular expressions as JSON schemas use them: ECMA-262 with the flag u.

import InferSupport

/// A parser of regular expressions of ECMA-262, with the flag `u`.
///
/// Supported are alternatives, groups (also `(?:…)` and `(?<name>…)`), the quantifiers `*`, `+`, `?`, `{m}`, `{m,}` and `{m,n}` (a `?` behind
/// one changes nothing, because only the set of texts counts), `.`, classes, `^` and `$` anywhere, and the escapes `\d \D \w \W \s \S`,
/// `\t \n \v \f \r \0`, `\cX`, `\xHH`, `\uHHHH`, `\u{H…}`, `\p{…}` and `\P{…}` with a general category, `Any` or `ASCII`, and of all
/// punctuation.
///
/// What describes no regular language is refused by name, such as back-references; so are looking ahead and behind, and `\b` and `\B`.
struct RegularExpressionParser {
    /// The deepest nesting of groups.
    private static let maximumDepth = 80

    private var reader: PatternReader

    /// The texts that match `source` as a whole.
    ///
    /// - Parameters:
    ///   - name: What the source is, for messages.
    ///   - limits: The limits.
    static func expression(
        of source: String, _ name: String, limits: GrammarLimits
    ) throws(InferenceError) -> Expression {
        var parser = RegularExpressionParser(reader: try PatternReader(source, name, limits))
        let expression = try parser.alternatives(depth: 0)
        guard parser.reader.current == nil else { throw parser.reader.fault("a ')' without '('") }
        return expression
    }

    private init(reader: PatternReader) { self.reader = reader }

    private mutating func alternatives(depth: Int) throws(InferenceError) -> Expression {
        var parts = [try sequence(depth: depth)]
        while reader.take("|") { parts.append(try sequence(depth: depth)) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence(depth: Int) throws(InferenceError) -> Expression {
        var parts: [Expression] = []
        while let scalar = reader.current, scalar != "|", scalar != ")" {
            if reader.take("^") {
                parts.append(.beginning)
            } else if reader.take("$") {
                parts.append(.end)
            } else {
                parts.append(try quantified(try atom(depth: depth)))
            }
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom(depth: Int) throws(InferenceError) -> Expression {
        guard let scalar = reader.current else { throw reader.unexpected("a character") }
        let place = reader.position
        reader.advance()
        switch scalar {
        case "(":
            guard depth < Self.maximumDepth else {
                throw reader.fault("more than \(Self.maximumDepth) levels of groups")
            }
            try groupOptions(at: place)
            let group = try alternatives(depth: depth + 1)
            guard reader.take(")") else { throw reader.unexpected("')'") }
            return group
        case ".": return .characters(CharacterClass.any)
        case "[": return .characters(try characterClass())
        case "\\": return .characters(try escape(isInClass: false, at: place).set)
        case "*", "+", "?", "{": throw reader.fault("'\(scalar)' with nothing to repeat before it", at: place)
        default: return .characters(ScalarSet(scalar))
        }
    }

    private mutating func groupOptions(at place: Int) throws(InferenceError) {
        guard reader.take("?") else { return }
        if reader.take(":") { return }
        for (mark, name) in [("=", "(?=…)"), ("!", "(?!…)"), ("<=", "(?<=…)"), ("<!", "(?<!…)")] where reader.take(mark)
        {
            throw reader.fault("looking ahead or behind, \(name), is not supported", at: place)
        }
        guard reader.take("<") else {
            throw reader.fault(
                "the group (?\(reader.current.map(String.init)?.printable ?? "") is not supported", at: place)
        }
        while let scalar = reader.current, scalar != ">", scalar != ")" { reader.advance() }
        guard reader.take(">") else { throw reader.unexpected("'>'") }
    }

    private mutating func quantified(_ atom: Expression) throws(InferenceError) -> Expression {
        var result = atom
        switch reader.current {
        case "*": result = .repetition(atom, minimum: 0, maximum: nil)
        case "+": result = .repetition(atom, minimum: 1, maximum: nil)
        case "?": result = .optional(atom)
        case "{":
            let place = reader.position
            reader.advance()
            let minimum = try reader.count()
            var maximum: Int? = minimum
            if reader.take(",") { maximum = reader.current == "}" ? nil : try reader.count() }
            guard reader.current == "}" else { throw reader.unexpected("'}'") }
            if let maximum, maximum < minimum {
                throw reader.fault("the counts {\(minimum),\(maximum)} are out of order", at: place)
            }
            result = .repetition(atom, minimum: minimum, maximum: maximum)
        default: return atom
        }
        reader.advance()
        // Whether as few repetitions as possible are tried first changes no set of texts.
        _ = reader.take("?")
        if let scalar = reader.current, ["*", "+", "?", "{"].contains(scalar) {
            throw reader.fault("a quantifier behind a quantifier")
        }
        return result
    }

    // MARK: Characters

    private mutating func characterClass() throws(InferenceError) -> ScalarSet {
        let isInverted = reader.take("^")
        var ranges: [ClosedRange<UInt32>] = []
        var limit = 4096
        while let scalar = reader.current, scalar != "]" {
            let place = reader.position
            let first = try classMember(scalar)
            if reader.current == "-", let end = reader.next, end != "]" {
                reader.advance()
                let last = try classMember(end)
                guard let low = first.scalar, let high = last.scalar, low <= high else {
                    throw reader.fault("the range is out of order, or its ends are no single characters", at: place)
                }
                ranges.append(low.value...high.value)
            } else {
                ranges += first.set.ranges
            }
            // Classes may name the same characters over and over.
            if ranges.count > limit {
                ranges = ScalarSet(ranges).ranges
                limit = max(limit, 2 * ranges.count)
            }
        }
        guard reader.take("]") else { throw reader.unexpected("']'") }
        return isInverted ? ScalarSet(ranges).inverted : ScalarSet(ranges)
    }

    private mutating func classMember(_ scalar: Unicode.Scalar) throws(InferenceError) -> CharacterClass {
        let place = reader.position
        reader.advance()
        return scalar == "\\" ? try escape(isInClass: true, at: place) : CharacterClass(scalar)
    }

    /// What stands behind a backslash.
    private mutating func escape(isInClass: Bool, at place: Int) throws(InferenceError) -> CharacterClass {
        guard let scalar = reader.current else { throw reader.unexpected("an escape") }
        reader.advance()
        switch scalar {
        case "d": return CharacterClass(.digits)
        case "D": return CharacterClass(ScalarSet.digits.inverted)
        case "w": return CharacterClass(.words)
        case "W": return CharacterClass(ScalarSet.words.inverted)
        case "s": return CharacterClass(.spaces)
        case "S": return CharacterClass(ScalarSet.spaces.inverted)
        case "t": return CharacterClass("\t")
        case "n": return CharacterClass("\n")
        case "v": return CharacterClass("\u{B}")
        case "f": return CharacterClass("\u{C}")
        case "r": return CharacterClass("\r")
        case "b" where isInClass: return CharacterClass("\u{8}")
        case "b", "B": throw reader.fault("the word boundary \\\(scalar) is not supported", at: place)
        case "0" where !(reader.current.map { ("0"..."9").contains($0) } ?? false): return CharacterClass("\0")
        case "0"..."9", "k": throw reader.fault("the back-reference \\\(scalar) is not supported", at: place)
        case "c":
            guard let letter = reader.current, letter.properties.isAlphabetic, letter.isASCII else {
                throw reader.unexpected("a letter")
            }
            reader.advance()
            return CharacterClass(Unicode.Scalar(UInt8(letter.value & 0x1F)))
        case "x": return CharacterClass(try reader.hexadecimal(2, at: place))
        case "u": return CharacterClass(try unicodeEscape(at: place))
        case "p": return CharacterClass(try property(at: place))
        case "P": return CharacterClass(try property(at: place).inverted)
        case _ where scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "_"):
            throw reader.fault("the escape \\\(scalar) is not supported", at: place)
        default: return CharacterClass(scalar)
        }
    }

    private mutating func unicodeEscape(at place: Int) throws(InferenceError) -> Unicode.Scalar {
        if reader.take("{") {
            var digits = 0
            var look = reader
            while let scalar = look.current, scalar != "}", digits < 8 {
                digits += 1
                look.advance()
            }
            let scalar = try reader.hexadecimal(max(digits, 1), at: place)
            guard reader.take("}") else { throw reader.unexpected("'}'") }
            return scalar
        }
        var look = reader
        if let high = try? look.surrogate(0xD800), look.take("\\u"), let low = try? look.surrogate(0xDC00),
            let scalar = Unicode.Scalar(0x10000 + high << 10 + low)
        {
            reader = look
            return scalar
        }
        return try reader.hexadecimal(4, at: place)
    }

    private mutating func property(at place: Int) throws(InferenceError) -> ScalarSet {
        guard reader.take("{") else { throw reader.unexpected("'{'") }
        var name = ""
        while let scalar = reader.current, scalar != "}" {
            name.unicodeScalars.append(scalar)
            reader.advance()
        }
        guard reader.take("}") else { throw reader.unexpected("'}'") }
        for key in ["General_Category=", "gc="] where name.hasPrefix(key) { name.removeFirst(key.count) }
        guard let set = GeneralCategories.set(named: name) else {
            throw reader.fault(
                "the property \\p{\(name.printable)} is not supported; general categories, Any and ASCII are", at: place
            )
        }
        return set
    }
}

/// What a member of a class stands for.
private struct CharacterClass {
    /// All characters but the ends of lines.
    static let any = ScalarSet("\n\r\u{2028}\u{2029}").inverted

    var set: ScalarSet
    /// The character, if it is a single one.
    var scalar: Unicode.Scalar?

    init(_ set: ScalarSet) { self.set = set }

    init(_ scalar: Unicode.Scalar) {
        set = ScalarSet(scalar)
        self.scalar = scalar
    }
}

extension ScalarSet {
    /// `\d`.
    fileprivate static let digits = ScalarSet([0x30...0x39])
    /// `\w`.
    fileprivate static let words = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// `\s`: white space and the ends of lines of ECMA-262.
    fileprivate static let spaces = ScalarSet([
        0x9...0xD, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
}

extension PatternReader {
    /// The lower bits of the half of a surrogate pair that is written here in four hexadecimal digits; `first` is the first such half.
    fileprivate mutating func surrogate(_ first: UInt32) throws(InferenceError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 { value = value << 4 | (try hexadecimal(1, at: position)).value }
        guard (first..<first + 0x400).contains(value) else { throw unexpected("half of a surrogate pair") }
        return value - first
    }
}
