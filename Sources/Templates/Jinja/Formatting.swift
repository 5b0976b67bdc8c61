// Python's two ways to format: `'%s' % values` and `'{}'.format(values)`.

import InferSupport

/// A number in C's notation.
///
/// - Parameter kind: `f`, `e` or `g`.
func decimal(_ value: Double, _ kind: Character, _ precision: Int, alternate: Bool = false) -> String {
    let format = "%" + (alternate ? "#" : "") + ".\(min(max(precision, 0), 400))" + String(kind)
    var buffer = [CChar](repeating: 0, count: 1024)
    let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(
        decoding: buffer[..<min(max(Int(count), 0), buffer.count - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// How a value is formatted.
private struct FormatSpecification {
    var fill = TemplateText(" ")
    var alignment: Unicode.Scalar?
    var sign: Unicode.Scalar = "-"
    var isAlternate = false
    var groups: Unicode.Scalar?
    var width = 0
    var precision: Int?
    var kind: Unicode.Scalar?
}

extension Interpreter {
    private func checked(_ number: Int) throws(Fault) -> Int {
        guard number <= limits.textLength else {
            throw Fault("a text of more than \(limits.textLength) bytes", kind: .limit)
        }
        try spend(number / 16)
        return number
    }

    private func write(
        _ text: TemplateText, _ specification: FormatSpecification, isNumber: Bool, to builder: inout TextBuilder
    ) throws(Fault) {
        let missing = max(0, try checked(specification.width) - text.count)
        let alignment = specification.alignment ?? (isNumber ? ">" : "<")
        var start = 0
        if alignment == "=", let first = text.bytes.first, first == 0x2B || first == 0x2D || first == 0x20 { start = 1 }
        let left = alignment == "<" ? 0 : alignment == "^" ? missing / 2 : missing
        builder.append(text, 0..<start)
        for _ in 0..<left { builder.append(specification.fill) }
        builder.append(text, start..<text.bytes.count)
        for _ in left..<missing { builder.append(specification.fill) }
    }

    private func signed(_ digits: String, isNegative: Bool, _ sign: Unicode.Scalar) -> String {
        (isNegative ? "-" : sign == "+" ? "+" : sign == " " ? " " : "") + digits
    }

    /// A number for a format character, without padding; nil for unknown characters.
    private func number(
        _ value: Value.Number, _ kind: Unicode.Scalar, _ specification: FormatSpecification
    ) throws(Fault) -> String? {
        let precision = specification.precision
        guard precision ?? 0 <= 400 else { throw Fault("a precision beyond 400", kind: .limit) }
        switch kind {
        case "d", "x", "X", "o", "b":
            guard case .integer(let number) = value else { return nil }
            let radix = kind == "d" ? 10 : kind == "o" ? 8 : kind == "b" ? 2 : 16
            var digits = String(number.magnitude, radix: radix, uppercase: kind == "X")
            if let precision { digits = String(repeating: "0", count: max(0, precision - digits.count)) + digits }
            if let groups = specification.groups { digits = grouped(digits, groups) }
            if specification.isAlternate, kind != "d" { digits = "0\(kind)" + digits }
            return signed(digits, isNegative: number < 0, specification.sign)
        case "f", "F", "e", "E", "g", "G", "%":
            let number = value.double * (kind == "%" ? 100 : 1)
            var digits: String
            if number.isFinite {
                let lower: Character = kind == "e" || kind == "E" ? "e" : kind == "g" || kind == "G" ? "g" : "f"
                digits = decimal(number.magnitude, lower, precision ?? 6, alternate: specification.isAlternate)
            } else {
                digits = number.isNaN ? "nan" : "inf"
            }
            if let groups = specification.groups {
                let whole = digits.prefix { $0.isNumber }
                digits = grouped(String(whole), groups) + digits.dropFirst(whole.count)
            }
            if kind == "E" || kind == "G" || kind == "F" { digits = digits.uppercased() }
            if kind == "%" { digits += "%" }
            return signed(digits, isNegative: number.sign == .minus && !number.isNaN, specification.sign)
        default: return nil
        }
    }

    private func grouped(_ digits: String, _ separator: Unicode.Scalar) -> String {
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.unicodeScalars.append(separator) }
            result.append(digit)
        }
        return result
    }

    private func representation(of value: Value) throws(Fault) -> TemplateText {
        var builder = makeBuilder()
        try describe(value, in: &builder)
        return try finish(builder)
    }

    // MARK: %

    /// Python's `format % value`.
    func formatted(_ format: TemplateText, _ value: Value) throws(Fault) -> TemplateText {
        var values = [value]
        if case .list(let list) = value, list.kind == .tuple { values = list.items }
        var next = 0
        var usesKeys = false
        let scalars = Array(format.scalars)
        var builder = makeBuilder()
        var index = 0
        func takeValue() throws(Fault) -> Value {
            guard next < values.count else { throw Fault("not enough arguments for format string") }
            next += 1
            return values[next - 1]
        }
        func takeScalar() throws(Fault) -> Unicode.Scalar {
            guard index < scalars.count else { throw Fault("incomplete format") }
            index += 1
            return scalars[index - 1].scalar
        }
        func takeNumber() throws(Fault) -> Int? {
            if index < scalars.count, scalars[index].scalar == "*" {
                index += 1
                guard let number = try takeValue().index else { throw Fault("* wants int") }
                return number
            }
            var number: Int?
            while index < scalars.count, let digit = Character(scalars[index].scalar).wholeNumberValue, digit < 10,
                scalars[index].scalar.isASCII
            {
                number = min((number ?? 0) * 10 + digit, 1 << 40)
                index += 1
            }
            return number
        }
        while index < scalars.count {
            try spend(1)
            guard scalars[index].scalar == "%" else {
                builder.append(format, scalars[index].range)
                index += 1
                continue
            }
            index += 1
            var specification = FormatSpecification(alignment: ">")
            var keyed: Value?
            if index < scalars.count, scalars[index].scalar == "(" {
                let start = scalars[index].range.upperBound
                while index < scalars.count, scalars[index].scalar != ")" { index += 1 }
                guard index < scalars.count else { throw Fault("incomplete format key") }
                let key = format[start..<scalars[index].range.lowerBound]
                index += 1
                guard case .mapping(let mapping) = value else { throw Fault("format requires a mapping") }
                guard let member = mapping[.text(key.bytes)] else { throw Fault("no key '\(key.string.printable)'") }
                keyed = member
                usesKeys = true
            }
            var flag = try takeScalar()
            var fillsZeros = false
            while ["-", "+", " ", "0", "#"].contains(flag) {
                switch flag {
                case "-": specification.alignment = "<"
                case "0": fillsZeros = true
                case "#": specification.isAlternate = true
                default: if specification.sign != "+" { specification.sign = flag }
                }
                flag = try takeScalar()
            }
            index -= 1
            if let width = try takeNumber() {
                specification.width = width == .min ? 0 : abs(width)
                if width < 0 { specification.alignment = "<" }
            }
            if index < scalars.count, scalars[index].scalar == "." {
                index += 1
                specification.precision = max(0, try takeNumber() ?? 0)
            }
            var kind = try takeScalar()
            while ["l", "h", "L"].contains(kind) { kind = try takeScalar() }
            if kind == "%" {
                builder.append("%")
                continue
            }
            var value = keyed ?? .none
            if keyed == nil { value = try takeValue() }
            switch kind {
            case "s", "r", "a":
                var text = kind == "s" ? try text(of: value) : try representation(of: value)
                if let precision = specification.precision, precision < text.count {
                    text = text[0..<text.offset(of: precision)]
                }
                try write(text, specification, isNumber: false, to: &builder)
            case "c":
                var text = TemplateText()
                if case .text(let given) = value, given.count == 1 {
                    text = given
                } else if let code = value.index, let scalar = UInt32(exactly: code).flatMap({ Unicode.Scalar($0) }) {
                    text = TemplateText(String(scalar))
                } else {
                    throw Fault("%c requires int or char")
                }
                try write(text, specification, isNumber: false, to: &builder)
            default:
                guard var number = value.number else {
                    throw Fault("%\(kind) format: a real number is required, not \(value.typeName)")
                }
                let isWhole = ["d", "i", "u"].contains(kind)
                if isWhole, case .float(let value) = number {
                    guard let whole = Int(exactly: value.rounded(.towardZero)) else {
                        throw Fault("a number beyond 64 bits", kind: .limit)
                    }
                    number = .integer(whole)
                }
                guard kind != "%", kind != "b",
                    let text = try self.number(number, isWhole ? "d" : kind, specification)
                else {
                    throw Fault("unsupported format character '\(String(kind).printable)'")
                }
                if fillsZeros, specification.alignment != "<" {
                    specification.fill = TemplateText("0")
                    specification.alignment = "="
                }
                try write(TemplateText(text), specification, isNumber: true, to: &builder)
            }
        }
        var takesRest = usesKeys
        if case .mapping = value { takesRest = true }
        guard takesRest || next == values.count else {
            throw Fault("not all arguments converted during string formatting")
        }
        return try finish(builder)
    }

    // MARK: format()

    /// Python's `format.format(…)`.
    func formatted(_ format: TemplateText, _ arguments: CallArguments) throws(Fault) -> TemplateText {
        var builder = makeBuilder()
        var next = 0
        try write(format, arguments, &next, depth: 0, to: &builder)
        return try finish(builder)
    }

    private func write(
        _ format: TemplateText, _ arguments: CallArguments, _ next: inout Int, depth: Int,
        to builder: inout TextBuilder
    ) throws(Fault) {
        guard depth < 3 else { throw Fault("Max string recursion exceeded") }
        let bytes = format.bytes
        var index = 0
        while index < bytes.count {
            try spend(1)
            let byte = bytes[index]
            guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") else {
                let end = bytes[index...].firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }
                builder.append(format, index..<(end ?? bytes.count))
                index = end ?? bytes.count
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == byte {
                builder.append(format, index..<index + 1)
                index += 2
                continue
            }
            guard byte == UInt8(ascii: "{") else { throw Fault("Single '}' encountered in format string") }
            var level = 1
            var end = index + 1
            while end < bytes.count, level > 0 {
                if bytes[end] == UInt8(ascii: "{") { level += 1 }
                if bytes[end] == UInt8(ascii: "}") { level -= 1 }
                end += 1
            }
            guard level == 0 else { throw Fault("expected '}' before end of string") }
            try writeField(format[index + 1..<end - 1], arguments, &next, depth: depth, to: &builder)
            index = end
        }
    }

    private func writeField(
        _ field: TemplateText, _ arguments: CallArguments, _ next: inout Int, depth: Int,
        to builder: inout TextBuilder
    ) throws(Fault) {
        let nameEnd = field.bytes.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "!") } ?? field.bytes.count
        var value = try self.field(field[0..<nameEnd].string, arguments, &next)
        var index = nameEnd
        if index < field.bytes.count, field.bytes[index] == UInt8(ascii: "!") {
            guard index + 1 < field.bytes.count else { throw Fault("unmatched '{' in format spec") }
            switch Unicode.Scalar(field.bytes[index + 1]) {
            case "s": value = .text(try text(of: value))
            case "r", "a": value = .text(try representation(of: value))
            default: throw Fault("unknown conversion specifier in a format string")
            }
            index += 2
        }
        var specification = TemplateText()
        if index < field.bytes.count {
            guard field.bytes[index] == UInt8(ascii: ":") else {
                throw Fault("expected ':' after conversion specifier")
            }
            var inner = makeBuilder()
            try write(field[index + 1..<field.bytes.count], arguments, &next, depth: depth + 1, to: &inner)
            specification = try finish(inner)
        }
        try write(value, specification, to: &builder)
    }

    /// The value of a replacement field such as ``0.name[key]``.
    private func field(_ path: String, _ arguments: CallArguments, _ next: inout Int) throws(Fault) -> Value {
        let scalars = Array(path.unicodeScalars)
        var index = 0
        func takeName(until ends: Set<Unicode.Scalar>) -> String {
            var name = ""
            while index < scalars.count, !ends.contains(scalars[index]) {
                name.unicodeScalars.append(scalars[index])
                index += 1
            }
            return name
        }
        let first = takeName(until: [".", "["])
        var value: Value
        if first.isEmpty || Int(first) != nil {
            let place = Int(first) ?? next
            if first.isEmpty { next += 1 }
            guard arguments.positional.indices.contains(place) else {
                throw Fault("Replacement index \(place) out of range for positional args tuple")
            }
            value = arguments.positional[place]
        } else {
            guard let keyword = arguments.keywords.first(where: { $0.name == first }) else {
                throw Fault("no argument '\(first.printable)' for the format string")
            }
            value = keyword.value
        }
        while index < scalars.count {
            try spend(1)
            let mark = scalars[index]
            index += 1
            if mark == "." {
                value = try attribute(takeName(until: [".", "["]), of: value)
            } else {
                let key = takeName(until: ["]"])
                index += 1
                value = try item(Int(key).map { .integer($0) } ?? .string(key), of: value)
            }
        }
        return value
    }

    private func write(
        _ value: Value, _ format: TemplateText, to builder: inout TextBuilder
    ) throws(Fault) {
        let specification = try self.specification(format)
        switch value {
        case .integer, .float:
            guard let number = value.number else { break }
            var text: String?
            if let kind = specification.kind {
                text = try self.number(number, kind == "n" ? "d" : kind, specification)
            } else if case .float(let value) = number, specification.precision == nil {
                text = signed(
                    value.magnitude.pythonDescription, isNegative: value.sign == .minus, specification.sign)
            } else if case .float = number {
                text = try self.number(number, "g", specification)
            } else {
                text = try self.number(number, "d", specification)
            }
            guard let text else {
                throw Fault("Unknown format code for object of type '\(value.typeName)'")
            }
            try write(TemplateText(text), specification, isNumber: true, to: &builder)
        default:
            if let kind = specification.kind, kind != "s" {
                throw Fault("Unknown format code '\(String(kind).printable)' for object of type '\(value.typeName)'")
            }
            var text = try text(of: value)
            if let precision = specification.precision, precision < text.count {
                text = text[0..<text.offset(of: precision)]
            }
            try write(text, specification, isNumber: false, to: &builder)
        }
    }

    /// Reads `[[fill]align][sign][#][0][width][,][.precision][type]`.
    private func specification(_ format: TemplateText) throws(Fault) -> FormatSpecification {
        var result = FormatSpecification()
        let scalars = Array(format.scalars)
        var index = 0
        let alignments: Set<Unicode.Scalar> = ["<", ">", "^", "="]
        func current() -> Unicode.Scalar? { index < scalars.count ? scalars[index].scalar : nil }
        func takeNumber() -> Int? {
            var number: Int?
            while let scalar = current(), scalar.isASCII, let digit = Character(scalar).wholeNumberValue {
                number = min((number ?? 0) * 10 + digit, 1 << 40)
                index += 1
            }
            return number
        }
        if scalars.count > 1, alignments.contains(scalars[1].scalar) {
            result.fill = format[scalars[0].range]
            result.alignment = scalars[1].scalar
            index = 2
        } else if let first = current(), alignments.contains(first) {
            result.alignment = first
            index = 1
        }
        if let sign = current(), sign == "+" || sign == "-" || sign == " " {
            result.sign = sign
            index += 1
        }
        if current() == "#" {
            result.isAlternate = true
            index += 1
        }
        if current() == "0" {
            if result.alignment == nil {
                result.alignment = "="
                result.fill = TemplateText("0")
            }
            index += 1
        }
        result.width = takeNumber() ?? 0
        if let groups = current(), groups == "," || groups == "_" {
            result.groups = groups
            index += 1
        }
        if current() == "." {
            index += 1
            guard let precision = takeNumber() else { throw Fault("Format specifier missing precision") }
            result.precision = precision
        }
        if let kind = current() {
            result.kind = kind
            index += 1
        }
        guard index == scalars.count else { throw Fault("Invalid format specifier") }
        return result
    }
}
