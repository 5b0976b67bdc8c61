// Values as text: Python's str and repr, and JSON as Python's json.dumps writes it.

import InferSupport

extension Double {
    /// The number as Python prints it: the shortest digits that give it back, with an exponent from 1e16 and below 1e-4.
    var pythonDescription: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        // Swift has the same digits but other rules for the exponent.
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        let text = Array(magnitude.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: ".") {
                point = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        var position = (point ?? digits.count) + exponent
        while digits.count > 1, digits[0] == UInt8(ascii: "0") {
            digits.removeFirst()
            position -= 1
        }
        while digits.count > 1, digits[digits.count - 1] == UInt8(ascii: "0") { digits.removeLast() }
        let sign = self.sign == .minus ? "-" : ""
        let number = String(decoding: digits, as: UTF8.self)
        if number == "0" { return sign + "0.0" }
        if position > 16 || position < -3 {
            let power = abs(position - 1)
            let fraction = number.count > 1 ? "." + number.dropFirst() : ""
            let exponent = (position > 0 ? "e+" : "e-") + (power < 10 ? "0" : "") + String(power)
            return sign + String(number.prefix(1)) + fraction + exponent
        }
        if position <= 0 { return sign + "0." + String(repeating: "0", count: -position) + number }
        if number.count <= position {
            return sign + number + String(repeating: "0", count: position - number.count) + ".0"
        }
        return sign + number.prefix(position) + "." + number.dropFirst(position)
    }
}

// MARK: str and repr

extension Interpreter {
    /// Python's `str` of the value.
    func text(of value: Value) throws(Fault) -> TemplateText {
        switch value {
        case .text(let text): return text
        case .undefined: return TemplateText()
        default:
            var builder = makeBuilder()
            try describe(value, in: &builder)
            return try finish(builder)
        }
    }

    /// Appends Python's `repr` of the value.
    func describe(_ value: Value, in builder: inout TextBuilder, depth: Int = 0) throws(Fault) {
        try spend(1)
        try checkDepth(depth)
        switch value {
        case .undefined: builder.append("Undefined")
        case .none: builder.append("None")
        case .bool(let value): builder.append(value ? "True" : "False")
        case .integer(let value): builder.append(String(value))
        case .float(let value): builder.append(value.pythonDescription)
        case .text(let text):
            try spend(text.bytes.count / 16)
            if text.isMarkup { builder.append("Markup(") }
            describe(text, in: &builder)
            if text.isMarkup { builder.append(")") }
        case .list(let list): try describe(list, in: &builder, depth: depth)
        case .mapping(let mapping): try describe(mapping, in: &builder, depth: depth)
        case .namespace(let namespace):
            builder.append("<Namespace ")
            try describe(namespace.members, in: &builder, depth: depth)
            builder.append(">")
        case .loop(let loop): builder.append("<LoopContext \(loop.index0 + 1)/\(loop.count)>")
        case .function(let function):
            switch function.kind {
            case .global(let name): builder.append("<function \(name)>")
            case .macro(let macro, _): builder.append("<Macro '\(macro.name)'>")
            case .method(let receiver, let name):
                builder.append("<built-in method \(name) of \(receiver.typeName) object>")
            case .cycler: builder.append("<Cycler>")
            case .joiner: builder.append("<Joiner>")
            }
        }
    }

    private func describe(_ list: ListValue, in builder: inout TextBuilder, depth: Int) throws(Fault) {
        let (opening, closing): (String, String)
        switch list.kind {
        case .list: (opening, closing) = ("[", "]")
        case .tuple: (opening, closing) = ("(", list.items.count == 1 ? ",)" : ")")
        case .iterator:
            builder.append("<generator object>")
            return
        case .range:
            let last = list.items.last?.index ?? -1
            let first = list.items.first?.index ?? 0
            let step = list.items.count > 1 ? (list.items[1].index ?? 1) &- first : 1
            let end = last &+ (step < 0 ? -1 : 1)
            builder.append("range(\(first), \(list.items.isEmpty ? 0 : end)" + (step == 1 ? ")" : ", \(step))"))
            return
        case .keys, .values, .items: (opening, closing) = (list.kind.rawValue + "([", "])")
        }
        builder.append(opening)
        for (index, item) in list.items.enumerated() {
            if index > 0 { builder.append(", ") }
            try describe(item, in: &builder, depth: depth + 1)
        }
        builder.append(closing)
    }

    private func describe(_ mapping: MappingValue, in builder: inout TextBuilder, depth: Int) throws(Fault) {
        builder.append("{")
        for (index, (key, value)) in zip(mapping.keys, mapping.values).enumerated() {
            if index > 0 { builder.append(", ") }
            try describe(key, in: &builder, depth: depth + 1)
            builder.append(": ")
            try describe(value, in: &builder, depth: depth + 1)
        }
        builder.append("}")
    }

    /// Python's `repr` of a string: in single quotes, unless it has these and no double ones.
    private func describe(_ text: TemplateText, in builder: inout TextBuilder) {
        let hasSingle = text.bytes.contains(UInt8(ascii: "'"))
        let quote: Unicode.Scalar = hasSingle && !text.bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
        builder.append(quote, isInput: false)
        for (scalar, range) in text.scalars {
            let isInput = text.hasInput(in: range)
            switch scalar {
            case "\n": builder.append("\\n", isInput: isInput)
            case "\r": builder.append("\\r", isInput: isInput)
            case "\t": builder.append("\\t", isInput: isInput)
            case "\\": builder.append("\\\\", isInput: isInput)
            case quote: builder.append("\\" + String(quote), isInput: isInput)
            case " "..."~": builder.append(scalar, isInput: isInput)
            default:
                if scalar.isPythonPrintable {
                    builder.append(scalar, isInput: isInput)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let (mark, width) =
                        scalar.value < 0x100 ? ("\\x", 2) : scalar.value < 0x10000 ? ("\\u", 4) : ("\\U", 8)
                    let zeros = String(repeating: "0", count: max(0, width - digits.count))
                    builder.append(mark + zeros + digits, isInput: isInput)
                }
            }
        }
        builder.append(quote, isInput: false)
    }
}

extension Unicode.Scalar {
    /// Whether Python's `repr` writes the scalar as it is.
    var isPythonPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: self == " "
        default: true
        }
    }
}

// MARK: JSON

/// How Python's `json.dumps` writes JSON.
struct JSONStyle {
    /// Whether scalars beyond ASCII are escaped.
    var isASCII = false
    /// What each level of nesting is indented with; nil for JSON on one line.
    var indent: TemplateText?
    /// What stands between members, and between key and value.
    var separators = (item: TemplateText(", "), key: TemplateText(": "))
    var sortsKeys = false
}

extension Interpreter {
    /// The value as JSON. Strings of input stay input; marks of JSON belong to the template.
    func json(of value: Value, style: JSONStyle) throws(Fault) -> TemplateText {
        var builder = makeBuilder()
        try write(value, style, to: &builder, depth: 0)
        return try finish(builder)
    }

    private func write(
        _ value: Value, _ style: JSONStyle, to builder: inout TextBuilder, depth: Int
    ) throws(Fault) {
        try spend(1)
        try checkDepth(depth)
        switch value {
        case .none: builder.append("null")
        case .bool(let value): builder.append(value ? "true" : "false")
        case .integer(let value): builder.append(String(value))
        case .float(let value): builder.append(jsonNumber(value))
        case .text(let text):
            try spend(text.bytes.count / 16)
            quote(text, style, to: &builder)
        case .list(let list) where list.kind == .list || list.kind == .tuple:
            if list.items.isEmpty {
                builder.append("[]")
                return
            }
            builder.append("[")
            for (index, item) in list.items.enumerated() {
                if index > 0 { builder.append(style.separators.item) }
                try breakLine(style, depth + 1, in: &builder)
                try write(item, style, to: &builder, depth: depth + 1)
            }
            try breakLine(style, depth, in: &builder)
            builder.append("]")
        case .mapping(let mapping): try write(mapping, style, to: &builder, depth: depth)
        default: throw Fault("Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private func write(
        _ mapping: MappingValue, _ style: JSONStyle, to builder: inout TextBuilder, depth: Int
    ) throws(Fault) {
        if mapping.count == 0 {
            builder.append("{}")
            return
        }
        builder.append("{")
        let order = style.sortsKeys ? try sortedIndexes(mapping.keys, isReversed: false) : Array(mapping.keys.indices)
        for (position, index) in order.enumerated() {
            if position > 0 { builder.append(style.separators.item) }
            try breakLine(style, depth + 1, in: &builder)
            switch mapping.keys[index] {
            case .text(let text):
                try spend(text.bytes.count / 16)
                quote(text, style, to: &builder)
            case .none: builder.append("\"null\"")
            case .bool(let key): builder.append(key ? "\"true\"" : "\"false\"")
            case .integer(let key): builder.append("\"\(key)\"")
            case .float(let key): builder.append("\"\(jsonNumber(key))\"")
            case let key: throw Fault("keys must be str, int, float, bool or None, not \(key.typeName)")
            }
            builder.append(style.separators.key)
            try write(mapping.values[index], style, to: &builder, depth: depth + 1)
        }
        try breakLine(style, depth, in: &builder)
        builder.append("}")
    }

    private func breakLine(_ style: JSONStyle, _ depth: Int, in builder: inout TextBuilder) throws(Fault) {
        guard let indent = style.indent else { return }
        builder.append("\n")
        for _ in 0..<depth { builder.append(indent) }
        try spend(depth * indent.bytes.count / 64)
    }

    private func jsonNumber(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.pythonDescription
    }

    private func quote(_ text: TemplateText, _ style: JSONStyle, to builder: inout TextBuilder) {
        builder.append("\"")
        var start = 0
        for (index, byte) in text.bytes.enumerated() {
            let escape: String?
            if byte < 0x80 {
                escape = byte == 0x7F && style.isASCII ? "\\u007f" : JSONValue.escape(of: byte)
            } else {
                guard style.isASCII, byte & 0xC0 != 0x80 else { continue }
                escape = ""
            }
            guard let escape else { continue }
            builder.append(text, start..<index)
            let length = TemplateText.scalarLength(byte)
            start = index + length
            let isInput = text.hasInput(in: index..<start)
            builder.append(escape, isInput: isInput)
            guard escape.isEmpty,
                let (scalar, _) = TemplateText.Scalars(text, index..<start).first(where: { _ in true })
            else { continue }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                builder.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits, isInput: isInput)
            }
        }
        builder.append(text, start..<text.bytes.count)
        builder.append("\"")
    }
}
