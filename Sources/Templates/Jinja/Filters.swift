// The filters of templates: those of Jinja2 that make sense in a prompt.

import InferSupport

extension Interpreter {
    /// The names of all filters.
    static let filters: Set<String> = [
        "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
        "float", "forceescape", "format", "from_json", "fromjson", "groupby", "indent", "int", "items", "join", "last",
        "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe",
        "select", "selectattr", "slice", "sort", "string", "sum", "title", "tojson", "trim", "truncate",
        "unique", "upper", "urlencode", "wordcount",
    ]

    /// Assigns arguments to parameters.
    func bind(_ arguments: CallArguments, _ names: String..., to function: String) throws(Fault) -> [Value?] {
        guard arguments.positional.count <= names.count else {
            throw Fault(
                "\(function) takes at most \(names.count) argument(s), not \(arguments.positional.count)")
        }
        var values: [Value?] = arguments.positional
        values += Array(repeating: nil, count: names.count - values.count)
        for (name, value) in arguments.keywords {
            guard let place = names.firstIndex(of: name) else {
                throw Fault("\(function) got an unexpected keyword argument '\(name.printable)'")
            }
            guard values[place] == nil else { throw Fault("\(function) got two values for argument '\(name)'") }
            values[place] = value
        }
        return values
    }

    /// An integer argument.
    func integer(_ value: Value?, _ standard: Int, _ function: String) throws(Fault) -> Int {
        guard let value else { return standard }
        guard let number = value.index else {
            throw Fault("\(function): '\(value.typeName)' object cannot be interpreted as an integer")
        }
        return number
    }

    /// A width of text, which must not go beyond the limit of texts.
    func width(_ value: Value?, _ standard: Int, _ function: String) throws(Fault) -> Int {
        let number = try integer(value, standard, function)
        guard number <= limits.textLength else {
            throw Fault("a text of more than \(limits.textLength) bytes", kind: .limit)
        }
        try spend(max(number, 0) / 64)
        return number
    }

    func apply(filter name: String, to value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        try spend(1)
        switch name {
        case "default", "d":
            let values = try bind(arguments, "default_value", "boolean", to: name)
            var isReplaced = values[1]?.isTrue == true && !value.isTrue
            if case .undefined = value { isReplaced = true }
            return isReplaced ? values[0] ?? .string("") : value
        case "tojson": return .text(try json(value, arguments))
        case "from_json", "fromjson": return try parsedJSON(value)
        case "length", "count": return .integer(try length(of: value))
        case "list": return try list(try items(of: value))
        case "items":
            if case .undefined = value { return try list([], .iterator) }
            guard case .mapping(let mapping) = value else { throw Fault("Can only get item pairs from a mapping.") }
            return try pairs(of: mapping, .iterator)
        case "string": return .text(try text(of: value))
        case "safe":
            var text = try text(of: value)
            text.isMarkup = true
            return .text(text)
        case "escape", "e", "forceescape":
            if case .text(let text) = value, text.isMarkup, name != "forceescape" { return value }
            var text = try text(of: value)
            text.isMarkup = false
            text = try escaped(text)
            text.isMarkup = true
            return .text(text)
        case "first", "last", "reverse", "join", "sort", "dictsort", "unique", "min", "max", "sum", "map", "select",
            "reject", "selectattr", "rejectattr", "batch", "slice", "groupby":
            return try apply(sequenceFilter: name, to: value, arguments)
        case "abs", "int", "float", "round": return try apply(numberFilter: name, to: value, arguments)
        case "attr":
            guard case .text(let key)? = arguments.positional.first else { throw Fault("attr needs a name") }
            guard case .mapping = value else { return try attribute(key.string, of: value) }
            return .undefined("'dict object' has no attribute '\(key.string.printable)'")
        default: return try apply(textFilter: name, to: value, arguments)
        }
    }

    private func json(_ value: Value, _ arguments: CallArguments) throws(Fault) -> TemplateText {
        let values = try bind(arguments, "ensure_ascii", "indent", "separators", "sort_keys", to: "tojson")
        var style = JSONStyle()
        style.isASCII = values[0]?.isTrue == true
        style.sortsKeys = values[3]?.isTrue == true
        switch values[1] {
        case .text(let text)?: style.indent = text
        case let number? where number.index != nil:
            style.indent = TemplateText(
                String(repeating: " ", count: max(0, try width(number, 0, "tojson"))))
        default: break
        }
        if style.indent != nil { style.separators.item = TemplateText(",") }
        if case .list(let list)? = values[2], list.items.count == 2 {
            style.separators = (try text(of: list.items[0]), try text(of: list.items[1]))
        }
        return try self.json(of: value, style: style)
    }

    private func parsedJSON(_ value: Value) throws(Fault) -> Value {
        guard case .text(let text) = value else { throw Fault("from_json needs a string, not \(value.typeName)") }
        try spend(text.bytes.count / 4)
        do {
            return try self.value(of: JSONValue(parsing: text.bytes), isMark: !text.hasInput)
        } catch let error as InferenceError {
            throw Fault("from_json: \(error.message)")
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault("from_json: \(error)")
        }
    }

    /// The pairs of keys and values.
    func pairs(of mapping: MappingValue, _ kind: ListValue.Kind) throws(Fault) -> Value {
        var pairs: [Value] = []
        for (key, value) in zip(mapping.keys, mapping.values) { pairs.append(try list([key, value], .tuple)) }
        return try list(pairs, kind)
    }

    // MARK: Texts

    /// The text with the marks of HTML escaped, unless it is marked as safe.
    func escaped(_ text: TemplateText) throws(Fault) -> TemplateText {
        if text.isMarkup { return text }
        try spend(text.bytes.count / 16)
        return try finish(
            text.mapped(limit: limits.textLength) {
                switch $0 {
                case "&": "&amp;"
                case "<": "&lt;"
                case ">": "&gt;"
                case "'": "&#39;"
                case "\"": "&#34;"
                case let scalar: String(scalar)
                }
            })
    }

    private func apply(textFilter name: String, to value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        guard Self.filters.contains(name) else { throw Fault("no filter named '\(name.printable)'") }
        let text = try text(of: value)
        try spend(text.bytes.count / 16)
        switch name {
        case "upper", "lower", "capitalize": return try call(method: name, of: .text(text), CallArguments())
        case "trim":
            let characters = try bind(arguments, "chars", to: name)
            return try call(
                method: "strip", of: .text(text), CallArguments(positional: characters.compactMap { $0 }))
        case "replace":
            let values = try bind(arguments, "old", "new", "count", to: name)
            guard let old = values[0], let new = values[1] else { throw Fault("replace needs two arguments") }
            var plain = text
            plain.isMarkup = false
            let parts = [Value.text(try self.text(of: old)), .text(try self.text(of: new))]
            return try call(
                method: name, of: .text(plain), CallArguments(positional: parts + [values[2]].compactMap { $0 }))
        case "center":
            let values = try bind(arguments, "width", to: name)
            return try call(
                method: name, of: .text(text), CallArguments(positional: [values[0] ?? .integer(80)]))
        case "title": return .text(try titled(text))
        case "indent": return .text(try indented(text, arguments))
        case "format":
            guard arguments.keywords.isEmpty else {
                let mapping = try makeMapping()
                for (key, value) in arguments.keywords { mapping.set(.string(key), .text(Array(key.utf8)), value) }
                return .text(try formatted(text, .mapping(mapping)))
            }
            return .text(try formatted(text, try list(arguments.positional, .tuple)))
        case "truncate": return .text(try truncated(text, arguments))
        case "wordcount":
            var count = 0
            var isInWord = false
            for (scalar, _) in text.scalars {
                if scalar.isWord, !isInWord { count += 1 }
                isInWord = scalar.isWord
            }
            return .integer(count)
        case "urlencode":
            var builder = makeBuilder()
            for (index, byte) in text.bytes.enumerated() {
                let isPlain =
                    byte < 0x80 && (Unicode.Scalar(byte).isWord || "-.~/".utf8.contains(byte))
                let digits = String(byte, radix: 16, uppercase: true)
                builder.append(
                    isPlain ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits,
                    isInput: text.hasInput(in: index..<index + 1))
            }
            return .text(try finish(builder))
        default: throw Fault("no filter named '\(name.printable)'")
        }
    }

    /// Jinja2's `title`: a capital after white space and some marks, small letters elsewhere.
    private func titled(_ text: TemplateText) throws(Fault) -> TemplateText {
        var isStart = true
        return try finish(
            text.mapped(limit: limits.textLength) { scalar in
                let isMark = scalar.isPythonSpace || ["-", "(", "{", "[", "<"].contains(scalar)
                defer { isStart = isMark }
                return isStart ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
            })
    }

    private func indented(_ text: TemplateText, _ arguments: CallArguments) throws(Fault) -> TemplateText {
        let values = try bind(arguments, "width", "first", "blank", to: "indent")
        var indent = TemplateText()
        if case .text(let given)? = values[0] {
            indent = given
        } else {
            indent = TemplateText(String(repeating: " ", count: max(0, try width(values[0], 4, "indent"))))
        }
        let indentsBlank = values[2]?.isTrue == true
        var builder = makeBuilder()
        for (index, line) in lines(of: text, appendingLineBreak: true).enumerated() {
            if index > 0 { builder.append("\n") }
            let isIndented = index == 0 ? values[1]?.isTrue == true : indentsBlank || !line.isEmpty
            if isIndented { builder.append(indent) }
            builder.append(text, line)
            try spend(1 + (isIndented ? indent.bytes.count / 64 : 0))
        }
        var result = try finish(builder)
        result.isMarkup = text.isMarkup
        return result
    }

    /// The lines as Python's `splitlines` gives them.
    ///
    /// - Parameter appendingLineBreak: Whether to split the text with a line break at its end.
    func lines(
        of text: TemplateText, appendingLineBreak: Bool = false, keepsEnds: Bool = false
    ) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        var wasReturn = false
        for (scalar, range) in text.scalars {
            defer { wasReturn = scalar == "\r" }
            if wasReturn, scalar == "\n" {
                if keepsEnds, let last = lines.popLast() { lines.append(last.lowerBound..<range.upperBound) }
                start = range.upperBound
            } else if scalar.isPythonLineBreak {
                lines.append(start..<(keepsEnds ? range.upperBound : range.lowerBound))
                start = range.upperBound
            }
        }
        // A line break that is appended to "\r" is the same line break.
        if start < text.bytes.count || (appendingLineBreak && text.bytes.last != UInt8(ascii: "\r")) {
            lines.append(start..<text.bytes.count)
        }
        return lines
    }

    private func truncated(_ text: TemplateText, _ arguments: CallArguments) throws(Fault) -> TemplateText {
        let values = try bind(arguments, "length", "killwords", "end", "leeway", to: "truncate")
        let length = try width(values[0], 255, "truncate")
        let leeway = try width(values[3], 5, "truncate")
        let end = try values[2].map { (value) throws(Fault) in try self.text(of: value) } ?? TemplateText("...")
        guard length >= end.count, leeway >= 0 else { throw Fault("truncate: the length is less than that of the end") }
        if text.count <= length + leeway { return text }
        var kept = text[0..<text.offset(of: length - end.count)]
        if values[1]?.isTrue != true, let space = kept.lastRange(of: [0x20]) { kept = kept[0..<space.lowerBound] }
        var builder = makeBuilder()
        builder.append(kept)
        builder.append(end)
        return try finish(builder)
    }

    // MARK: Numbers

    private func apply(
        numberFilter name: String, to value: Value, _ arguments: CallArguments
    ) throws(Fault) -> Value {
        if case .undefined(let hint) = value { throw Fault(hint) }
        switch name {
        case "abs":
            switch value.number {
            case .integer(let number):
                guard number != .min else { throw Fault("a number beyond 64 bits", kind: .limit) }
                return .integer(abs(number))
            case .float(let number): return .float(abs(number))
            case nil: throw Fault("bad operand type for abs(): '\(value.typeName)'")
            }
        case "int":
            let values = try bind(arguments, "default", "base", to: name)
            let standard = values[0] ?? .integer(0)
            switch value {
            case .text(let text):
                if let number = Self.integer(text, base: try integer(values[1], 10, name)) { return .integer(number) }
                guard let number = Self.float(text), let whole = Int(exactly: number.rounded(.towardZero)) else {
                    return standard
                }
                return .integer(whole)
            default:
                if let number = value.index { return .integer(number) }
                guard let number = value.number?.double, let whole = Int(exactly: number.rounded(.towardZero)) else {
                    return standard
                }
                return .integer(whole)
            }
        case "float":
            let standard = try bind(arguments, "default", to: name)[0] ?? .float(0)
            if case .text(let text) = value { return Self.float(text).map { .float($0) } ?? standard }
            return value.number.map { .float($0.double) } ?? standard
        default: return try rounded(value, arguments)
        }
    }

    /// Python's `int` of a text.
    static func integer(_ text: TemplateText, base: Int) -> Int? {
        guard (2...36).contains(base) else { return nil }
        var digits = text[text.trimmedRange()].string
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where radix == base {
            if digits.lowercased().hasPrefix(prefix) { digits.removeFirst(2) }
        }
        guard let first = digits.utf8.first, first != 0x2B, first != 0x2D, digits.utf8.last != 0x5F, first != 0x5F
        else { return nil }
        return Int((isNegative ? "-" : "") + digits.filter { $0 != "_" }, radix: base)
    }

    /// Python's `float` of a text.
    static func float(_ text: TemplateText) -> Double? {
        let spelled = text[text.trimmedRange()].string.lowercased()
        switch spelled {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan", "+nan", "-nan": return .nan
        default:
            guard spelled.utf8.allSatisfy({ "0123456789+-.e_".utf8.contains($0) }) else { return nil }
            return Double(spelled.filter { $0 != "_" })
        }
    }

    private func rounded(_ value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = try bind(arguments, "precision", "method", to: "round")
        let precision = try integer(values[0], 0, "round")
        guard (-300...300).contains(precision) else { throw Fault("round: a precision beyond 300", kind: .limit) }
        let method = try values[1].map { (value) throws(Fault) in try text(of: value).string } ?? "common"
        guard let number = value.number else { throw Fault("round needs a number, not \(value.typeName)") }
        if method == "common" {
            if case .integer(let whole) = number, precision >= 0 { return .integer(whole) }
            guard number.double.isFinite else { return .float(number.double) }
            if precision >= 0 { return .float(Double(decimal(number.double, "f", precision)) ?? number.double) }
            let scale = pow(10, Double(-precision))
            let result = (number.double / scale).rounded(.toNearestOrEven) * scale
            if case .integer = number, let whole = Int(exactly: result) { return .integer(whole) }
            return .float(result)
        }
        let scale = pow(10, Double(precision))
        switch method {
        case "ceil": return .float((number.double * scale).rounded(.up) / scale)
        case "floor": return .float((number.double * scale).rounded(.down) / scale)
        default: throw Fault("round: the method must be common, ceil or floor")
        }
    }

    // MARK: Sequences

    private func apply(
        sequenceFilter name: String, to value: Value, _ arguments: CallArguments
    ) throws(Fault) -> Value {
        if case .list(let list) = value { try spend(list.items.count / 2) }
        if case .mapping(let mapping) = value { try spend(mapping.count / 2) }
        switch name {
        case "first":
            if case .list(let list) = value, list.kind == .iterator {
                return list.items.isEmpty
                    ? .undefined("No first item, sequence was empty.") : list.items.removeFirst()
            }
            return try items(of: value).first ?? .undefined("No first item, sequence was empty.")
        case "last": return try items(of: value).last ?? .undefined("No last item, sequence was empty.")
        case "reverse":
            if case .text(let text) = value {
                try spend(text.bytes.count / 4)
                var builder = makeBuilder()
                for (_, range) in Array(text.scalars).reversed() { builder.append(text, range) }
                return .text(try finish(builder))
            }
            return try list(try items(of: value).reversed(), .iterator)
        case "join": return .text(try joined(value, arguments))
        case "sort":
            let values = try bind(arguments, "reverse", "case_sensitive", "attribute", to: name)
            let items = try items(of: value)
            let keys = try sortKeys(items, values[2], ignoresCase: values[1]?.isTrue != true)
            let order = try sortedIndexes(keys, isReversed: values[0]?.isTrue == true)
            return try list(order.map { items[$0] })
        case "dictsort":
            let values = try bind(arguments, "case_sensitive", "by", "reverse", to: name)
            guard case .mapping(let mapping) = value else { throw Fault("dictsort needs a mapping") }
            let by = try values[1].map { (value) throws(Fault) in try text(of: value).string } ?? "key"
            guard by == "key" || by == "value" else {
                throw Fault("You can only sort by either \"key\" or \"value\"")
            }
            let keys = try ignoringCase(by == "key" ? mapping.keys : mapping.values, values[0]?.isTrue != true)
            let order = try sortedIndexes(keys, isReversed: values[2]?.isTrue == true)
            var pairs: [Value] = []
            for index in order { pairs.append(try list([mapping.keys[index], mapping.values[index]], .tuple)) }
            return try list(pairs)
        case "unique":
            let values = try bind(arguments, "case_sensitive", "attribute", to: name)
            let items = try items(of: value)
            let keys = try ignoringCase(try attributes(of: items, values[1]), values[0]?.isTrue != true)
            var seen: Set<MappingValue.Key> = []
            var kept: [Value] = []
            for (item, itemKey) in zip(items, keys) where seen.insert(try key(itemKey)).inserted { kept.append(item) }
            return try list(kept, .iterator)
        case "min", "max":
            let values = try bind(arguments, "case_sensitive", "attribute", to: name)
            let items = try items(of: value)
            let keys = try ignoringCase(try attributes(of: items, values[1]), values[0]?.isTrue != true)
            guard !items.isEmpty else { return .undefined("No aggregated item, sequence was empty.") }
            var best = 0
            for index in keys.indices.dropFirst() {
                let isBetter =
                    name == "min" ? try isLess(keys[index], keys[best]) : try isLess(keys[best], keys[index])
                if isBetter { best = index }
            }
            return items[best]
        case "sum":
            let values = try bind(arguments, "attribute", "start", to: name)
            var sum = values[1] ?? .integer(0)
            for item in try attributes(of: try items(of: value), values[0]) { sum = try arithmetic(.add, sum, item) }
            return sum
        case "map": return try mapped(value, arguments)
        case "batch", "slice": return try divided(name, value, arguments)
        case "groupby": return try grouped(value, arguments)
        default: return try selected(name, value, arguments)
        }
    }

    private func joined(_ value: Value, _ arguments: CallArguments) throws(Fault) -> TemplateText {
        let values = try bind(arguments, "d", "attribute", to: "join")
        let separator = try values[0].map { (value) throws(Fault) in try text(of: value) } ?? TemplateText()
        var builder = makeBuilder()
        for (index, item) in try attributes(of: try items(of: value), values[1]).enumerated() {
            if index > 0 { builder.append(separator) }
            builder.append(try text(of: item))
            try spend(1)
        }
        return try finish(builder)
    }

    /// The parts of an attribute such as `function.name` or `items.0`.
    private func path(_ attribute: Value) throws(Fault) -> [Value] {
        guard case .text(let text) = attribute else { return [attribute] }
        return text.string.split(separator: ".", omittingEmptySubsequences: false).map {
            Int($0).map { .integer($0) } ?? .string(String($0))
        }
    }

    /// The attribute of each item; the items themselves if there is none.
    private func attributes(
        of items: [Value], _ attribute: Value?, standard: Value? = nil
    ) throws(Fault) -> [Value] {
        guard let attribute else { return items }
        if case .none = attribute { return items }
        let path = try path(attribute)
        var result: [Value] = []
        for item in items {
            var part = item
            for key in path {
                try spend(1)
                part = try self.item(key, of: part)
                if case .undefined = part, let standard { part = standard }
            }
            result.append(part)
        }
        return result
    }

    private func ignoringCase(_ values: [Value], _ ignoresCase: Bool) throws(Fault) -> [Value] {
        guard ignoresCase else { return values }
        var result: [Value] = []
        for value in values {
            if case .text = value {
                result.append(try call(method: "lower", of: value, CallArguments()))
            } else {
                result.append(value)
            }
        }
        return result
    }

    /// The keys that items are sorted by: one attribute, or several with commas between them.
    private func sortKeys(
        _ items: [Value], _ attribute: Value?, ignoresCase: Bool
    ) throws(Fault) -> [Value] {
        guard case .text(let text)? = attribute, text.string.contains(",") else {
            return try ignoringCase(try attributes(of: items, attribute), ignoresCase)
        }
        var columns: [[Value]] = []
        for name in text.string.split(separator: ",") {
            columns.append(try ignoringCase(try attributes(of: items, .string(String(name))), ignoresCase))
        }
        var keys: [Value] = []
        for index in items.indices { keys.append(try list(columns.map { $0[index] })) }
        return keys
    }

    private func mapped(_ value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        // As in Jinja2, none and the like are empty sequences here.
        guard value.isTrue else { return try list([], .iterator) }
        let items = try items(of: value)
        if arguments.positional.isEmpty {
            let values = try bind(arguments, "attribute", "default", to: "map")
            guard let attribute = values[0] else { throw Fault("map requires a filter argument") }
            return try list(try attributes(of: items, attribute, standard: values[1]), .iterator)
        }
        guard case .text(let name) = arguments.positional[0] else { throw Fault("map requires the name of a filter") }
        let rest = CallArguments(
            positional: Array(arguments.positional.dropFirst()), keywords: arguments.keywords)
        var result: [Value] = []
        for item in items {
            result.append(
                try nested { () throws(Fault) in try apply(filter: name.string, to: item, rest) })
        }
        return try list(result, .iterator)
    }

    private func selected(_ name: String, _ value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        guard value.isTrue else { return try list([], .iterator) }
        var rest = arguments.positional[...]
        let items = try items(of: value)
        var values = items
        if name.hasSuffix("attr") {
            guard let attribute = rest.popFirst() else { throw Fault("Missing parameter for attribute name") }
            values = try attributes(of: items, attribute)
        }
        let test = rest.popFirst()
        var kept: [Value] = []
        for (item, value) in zip(items, values) {
            var holds = value.isTrue
            if let test {
                guard case .text(let name) = test else { throw Fault("the name of a test must be a string") }
                holds = try apply(test: name.string, to: value, Array(rest))
            }
            if holds == name.hasPrefix("select") { kept.append(item) }
        }
        return try list(kept, .iterator)
    }

    /// Lists of a number of items each (`batch`), or a number of lists (`slice`).
    private func divided(_ name: String, _ value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = try bind(arguments, name == "batch" ? "linecount" : "slices", "fill_with", to: name)
        let count = try integer(values[0], 0, name)
        guard count > 0 else { throw Fault("\(name) needs a number above 0") }
        let items = try items(of: value)
        var filler: Value?
        if let fill = values[1] { if case .none = fill {} else { filler = fill } }
        var lists: [Value] = []
        if name == "batch" {
            for start in stride(from: 0, to: items.count, by: min(count, items.count + 1)) {
                var part = Array(items[start..<min(items.count - start, count) + start])
                if let filler, part.count < count {
                    try spend(4 * min(count, limits.steps))
                    part += Array(repeating: filler, count: count - part.count)
                }
                lists.append(try list(part))
            }
        } else {
            try spend(4 * min(count, limits.steps))
            let (length, extra) = (items.count / count, items.count % count)
            var start = 0
            for index in 0..<count {
                let end = start + length + (index < extra ? 1 : 0)
                var part = Array(items[start..<end])
                if let filler, index >= extra, extra > 0 { part.append(filler) }
                lists.append(try list(part))
                start = end
            }
        }
        return try list(lists, .iterator)
    }

    /// Pairs of an attribute's value and the items that have it, in the order of the values.
    private func grouped(_ value: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = try bind(arguments, "attribute", "default", "case_sensitive", to: "groupby")
        let items = try items(of: value)
        let originals = try attributes(of: items, values[0], standard: values[1])
        let keys = try ignoringCase(originals, values[2]?.isTrue != true)
        var groups: [Value] = []
        var current: [Value] = []
        let order = try sortedIndexes(keys, isReversed: false)
        for (position, index) in order.enumerated() {
            current.append(items[index])
            let isLast =
                try position + 1 == order.count ? true : !areEqual(keys[index], keys[order[position + 1]])
            guard isLast else { continue }
            let first = order[position + 1 - current.count]
            groups.append(try list([originals[first], try list(current)], .tuple))
            current = []
        }
        return try list(groups)
    }
}
