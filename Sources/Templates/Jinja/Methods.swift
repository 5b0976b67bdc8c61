// The methods of strings, lists and mappings that templates call, as Python has them.

import InferSupport

extension Interpreter {
    private static let textMethods: Set<String> = [
        "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "index", "isalnum",
        "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join",
        "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
        "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper",
        "zfill",
    ]
    private static let listMethods: Set<String> = [
        "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
    ]
    private static let mappingMethods: Set<String> = [
        "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
    ]

    /// The names of the methods that a value has.
    static func methods(of value: Value) -> Set<String> {
        switch value {
        case .text: textMethods
        case .list(let list): list.kind == .list ? listMethods : list.kind == .tuple ? ["count", "index"] : []
        case .mapping: mappingMethods
        default: []
        }
    }

    func call(method name: String, of receiver: Value, _ arguments: CallArguments) throws(Fault) -> Value {
        try spend(1)
        switch receiver {
        case .text(let text):
            try spend(text.bytes.count / 64)
            return try call(name, of: text, arguments)
        case .list(let list): return try call(name, of: list, arguments)
        case .mapping(let mapping): return try call(name, of: mapping, arguments)
        case .loop(let loop) where name == "cycle":
            guard !arguments.positional.isEmpty else { throw Fault("no items for cycling given") }
            return arguments.positional[loop.index0 % arguments.positional.count]
        case .loop(let loop) where name == "changed":
            let last = loop.lastChanged
            loop.lastChanged = arguments.positional
            guard let last, last.count == arguments.positional.count else { return .bool(true) }
            for (one, other) in zip(last, arguments.positional) where !(try areEqual(one, other)) {
                return .bool(true)
            }
            return .bool(false)
        default: throw Fault("'\(receiver.objectName)' has no method '\(name)'")
        }
    }

    private func text(_ value: Value?, _ function: String) throws(Fault) -> TemplateText {
        guard case .text(let text)? = value else {
            throw Fault("\(function) needs a string\(value.map { ", not \($0.typeName)" } ?? "")")
        }
        return text
    }

    private func optional(_ value: Value?) -> Value? { if case .none? = value { nil } else { value } }

    // MARK: Strings

    private func call(_ name: String, of text: TemplateText, _ arguments: CallArguments) throws(Fault) -> Value {
        switch name {
        case "upper": return try mapped(text) { $0.properties.uppercaseMapping }
        case "lower", "casefold": return try mapped(text) { $0.properties.lowercaseMapping }
        case "swapcase":
            return try mapped(text) {
                $0.properties.isUppercase ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping
            }
        case "capitalize":
            var isFirst = true
            return try mapped(text) {
                defer { isFirst = false }
                return isFirst ? $0.properties.titlecaseMapping : $0.properties.lowercaseMapping
            }
        case "title":
            var isStart = true
            return try mapped(text) { scalar in
                defer { isStart = !scalar.properties.isCased }
                return isStart ? scalar.properties.titlecaseMapping : scalar.properties.lowercaseMapping
            }
        case "strip", "lstrip", "rstrip": return try stripped(text, name, arguments)
        case "removeprefix":
            let prefix = try self.text(arguments.positional.first, name)
            return .text(
                text.bytes.starts(with: prefix.bytes) ? text[prefix.bytes.count..<text.bytes.count] : text)
        case "removesuffix":
            let suffix = try self.text(arguments.positional.first, name)
            return .text(
                text.bytes.reversed().starts(with: suffix.bytes.reversed())
                    ? text[0..<text.bytes.count - suffix.bytes.count] : text)
        case "split", "rsplit": return try split(text, name, arguments)
        case "splitlines":
            let keepsEnds = try bind(arguments, "keepends", to: name)[0]?.isTrue == true
            return try list(lines(of: text, keepsEnds: keepsEnds).map { .text(text[$0]) })
        case "partition", "rpartition":
            let separator = try self.text(arguments.positional.first, name)
            guard !separator.bytes.isEmpty else { throw Fault("empty separator") }
            let found =
                name == "partition" ? text.firstRange(of: separator.bytes) : text.lastRange(of: separator.bytes)
            let empty = Value.text(TemplateText())
            guard let found else {
                return try list(
                    name == "partition" ? [.text(text), empty, empty] : [empty, empty, .text(text)], .tuple)
            }
            return try list(
                [
                    .text(text[0..<found.lowerBound]), .text(text[found]),
                    .text(text[found.upperBound..<text.bytes.count]),
                ], .tuple)
        case "startswith", "endswith": return .bool(try hasAffix(text, name, arguments))
        case "find", "rfind", "index", "rindex", "count": return try search(text, name, arguments)
        case "replace": return try replaced(text, arguments)
        case "join": return try joined(text, arguments)
        case "format": return .text(try formatted(text, arguments))
        case "center", "ljust", "rjust", "zfill", "expandtabs": return try padded(text, name, arguments)
        default: return .bool(Self.classify(text, name))
        }
    }

    private func mapped(_ text: TemplateText, _ transform: (Unicode.Scalar) -> String) throws(Fault) -> Value {
        try spend(text.bytes.count / 8)
        var result = try finish(text.mapped(limit: limits.textLength, transform))
        result.isMarkup = text.isMarkup
        return .text(result)
    }

    private func stripped(_ text: TemplateText, _ name: String, _ arguments: CallArguments) throws(Fault) -> Value {
        let (left, right) = (name != "rstrip", name != "lstrip")
        guard let characters = optional(arguments.positional.first) else {
            return .text(text[text.trimmedRange(left: left, right: right)])
        }
        let set = Set(try self.text(characters, name).scalars.map { $0.scalar })
        let kept = text.trimmedRange(left: left, right: right, where: { set.contains($0) })
        return .text(text[kept])
    }

    private func split(_ text: TemplateText, _ name: String, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = try bind(arguments, "sep", "maxsplit", to: name)
        var splitsLeft = try integer(values[1], -1, name)
        if splitsLeft < 0 { splitsLeft = .max }
        let isReversed = name == "rsplit"
        var parts: [Range<Int>] = []
        if let separator = optional(values[0]) {
            let separator = try self.text(separator, name).bytes
            guard !separator.isEmpty else { throw Fault("empty separator") }
            var start = 0
            var end = text.bytes.count
            while splitsLeft > 0 {
                if isReversed, separator.count > 8 { try spend(end) }
                try spend(4)
                let found =
                    isReversed
                    ? text.lastRange(of: separator, to: end) : text.firstRange(of: separator, from: start)
                guard let found else { break }
                parts.append(isReversed ? found.upperBound..<end : start..<found.lowerBound)
                if isReversed { end = found.lowerBound } else { start = found.upperBound }
                splitsLeft -= 1
            }
            parts.append(start..<end)
            if isReversed { parts.reverse() }
        } else {
            parts = try words(text, splitsLeft, isReversed: isReversed)
        }
        return try list(parts.map { .text(text[$0]) })
    }

    /// The parts of a text between white space.
    private func words(_ text: TemplateText, _ splitsLeft: Int, isReversed: Bool) throws(Fault) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        for (scalar, range) in text.scalars {
            if scalar.isPythonSpace {
                if let first = start { words.append(first..<range.lowerBound) }
                start = nil
            } else if start == nil {
                start = range.lowerBound
            }
        }
        if let start { words.append(start..<text.bytes.count) }
        try spend(4 * words.count)
        guard words.count > splitsLeft else { return words }
        // The rest of the text is one part.
        if isReversed {
            let kept = words.suffix(splitsLeft)
            return [0..<words[words.count - splitsLeft - 1].upperBound] + kept
        }
        return words.prefix(splitsLeft) + [words[splitsLeft].lowerBound..<text.bytes.count]
    }

    /// The range of bytes that the arguments after the first give, in characters.
    private func bounds(_ text: TemplateText, _ values: ArraySlice<Value>, _ name: String) throws(Fault) -> Range<Int>?
    {
        if values.isEmpty { return 0..<text.bytes.count }
        let count = text.count
        func clamped(_ value: Value?, _ standard: Int) throws(Fault) -> Int {
            let index = try integer(optional(value), standard, name)
            return min(max(index < 0 ? index + count : index, 0), max(count, index > count ? count + 1 : 0))
        }
        let start = try clamped(values.first, 0)
        let end = min(try clamped(values.dropFirst().first, count), count)
        guard start <= end else { return nil }
        return text.offset(of: start)..<text.offset(of: end)
    }

    private func hasAffix(
        _ text: TemplateText, _ name: String, _ arguments: CallArguments
    ) throws(Fault) -> Bool {
        guard let first = arguments.positional.first else { throw Fault("\(name) needs an argument") }
        guard let bounds = try bounds(text, arguments.positional.dropFirst(), name) else { return false }
        let part = text.bytes[bounds]
        var affixes = [first]
        if case .list(let list) = first, list.kind == .tuple { affixes = list.items }
        for affix in affixes {
            try spend(1)
            let affix = try self.text(affix, name + " first arg").bytes
            let holds =
                name == "startswith"
                ? part.starts(with: affix) : part.reversed().starts(with: affix.reversed())
            if holds { return true }
        }
        return false
    }

    private func search(_ text: TemplateText, _ name: String, _ arguments: CallArguments) throws(Fault) -> Value {
        let pattern = try self.text(arguments.positional.first, name).bytes
        let bounds = try bounds(text, arguments.positional.dropFirst(), name)
        if name == "count" {
            guard let bounds else { return .integer(0) }
            if pattern.isEmpty { return .integer(text[bounds].count + 1) }
            var count = 0
            var start = bounds.lowerBound
            while let found = text.firstRange(of: pattern, from: start, to: bounds.upperBound) {
                count += 1
                start = found.upperBound
                try spend(1)
            }
            return .integer(count)
        }
        var found: Range<Int>?
        if let bounds {
            let isLast = name.hasPrefix("r")
            if pattern.isEmpty {
                found = isLast ? bounds.upperBound..<bounds.upperBound : bounds.lowerBound..<bounds.lowerBound
            } else if isLast {
                found = text.lastRange(of: pattern, from: bounds.lowerBound, to: bounds.upperBound)
            } else {
                found = text.firstRange(of: pattern, from: bounds.lowerBound, to: bounds.upperBound)
            }
        }
        guard let found else {
            if name.hasSuffix("index") { throw Fault("substring not found") }
            return .integer(-1)
        }
        return .integer(text[0..<found.lowerBound].count)
    }

    private func replaced(_ text: TemplateText, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = try bind(arguments, "old", "new", "count", to: "replace")
        let old = try self.text(values[0], "replace").bytes
        var new = try self.text(values[1], "replace")
        if text.isMarkup { new = try escaped(new) }
        var left = try integer(optional(values[2]), -1, "replace")
        if left < 0 { left = .max }
        var builder = makeBuilder()
        var start = 0
        if old.isEmpty {
            for offset in text.offsets where left > 0 {
                builder.append(text, start..<offset)
                builder.append(new)
                start = offset
                left -= 1
                try spend(1 + new.bytes.count / 64)
            }
        } else {
            while left > 0, let found = text.firstRange(of: old, from: start) {
                builder.append(text, start..<found.lowerBound)
                builder.append(new)
                start = found.upperBound
                left -= 1
                try spend(1 + new.bytes.count / 64)
            }
        }
        builder.append(text, start..<text.bytes.count)
        var result = try finish(builder)
        result.isMarkup = text.isMarkup
        return .text(result)
    }

    private func joined(_ separator: TemplateText, _ arguments: CallArguments) throws(Fault) -> Value {
        guard let sequence = arguments.positional.first else { throw Fault("join needs a sequence") }
        var builder = makeBuilder()
        for (index, item) in try items(of: sequence).enumerated() {
            guard case .text(let text) = item else {
                throw Fault("sequence item \(index): expected str instance, \(item.typeName) found")
            }
            if index > 0 { builder.append(separator) }
            builder.append(separator.isMarkup ? try escaped(text) : text)
            try spend(1)
        }
        var result = try finish(builder)
        result.isMarkup = separator.isMarkup
        return .text(result)
    }

    private func padded(_ text: TemplateText, _ name: String, _ arguments: CallArguments) throws(Fault) -> Value {
        let width = try width(arguments.positional.first, name == "expandtabs" ? 8 : 0, name)
        var builder = makeBuilder()
        if name == "expandtabs" {
            var column = 0
            for (scalar, range) in text.scalars {
                if scalar == "\t" {
                    let count = width > 0 ? width - column % width : 0
                    try spend(1 + count / 64)
                    builder.append(repeatElement(0x20, count: count))
                    column += count
                } else {
                    builder.append(text, range)
                    column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
                }
            }
            return .text(try finish(builder))
        }
        let missing = max(0, width - text.count)
        if name == "zfill" {
            let hasSign = text.bytes.first == UInt8(ascii: "+") || text.bytes.first == UInt8(ascii: "-")
            builder.append(text, 0..<(hasSign ? 1 : 0))
            builder.append(repeatElement(UInt8(ascii: "0"), count: missing))
            builder.append(text, (hasSign ? 1 : 0)..<text.bytes.count)
            return .text(try finish(builder))
        }
        let fill =
            try arguments.positional.dropFirst().first.map { (value) throws(Fault) in try self.text(value, name) }
            ?? TemplateText(" ")
        guard fill.count == 1 else { throw Fault("The fill character must be exactly one character long") }
        // Python's rule for the odd space.
        let left = name == "ljust" ? 0 : name == "rjust" ? missing : missing / 2 + (missing & width & 1)
        try spend(missing)
        for _ in 0..<left { builder.append(fill) }
        builder.append(text)
        for _ in left..<missing { builder.append(fill) }
        return .text(try finish(builder))
    }

    /// The methods that ask whether all characters are of a kind.
    private static func classify(_ text: TemplateText, _ name: String) -> Bool {
        func all(_ holds: (Unicode.Scalar) -> Bool) -> Bool {
            !text.bytes.isEmpty && text.scalars.allSatisfy { holds($0.scalar) }
        }
        switch name {
        case "isascii": return text.bytes.allSatisfy { $0 < 0x80 }
        case "isspace": return all { $0.isPythonSpace }
        case "isalpha": return all { $0.isPythonLetter }
        case "isdecimal": return all { $0.properties.numericType == .decimal }
        case "isdigit": return all { $0.properties.numericType == .decimal || $0.properties.numericType == .digit }
        case "isnumeric": return all { $0.properties.numericType != nil }
        case "isalnum": return all { $0.isPythonLetter || $0.properties.numericType != nil }
        case "islower": return isCased(text, upper: false)
        case "isupper": return isCased(text, upper: true)
        case "istitle":
            var hasLetter = false
            var isStart = true
            for (scalar, _) in text.scalars {
                if scalar.properties.isCased {
                    if isStart
                        ? !(scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter)
                        : !scalar.properties.isLowercase
                    {
                        return false
                    }
                    hasLetter = true
                    isStart = false
                } else {
                    isStart = true
                }
            }
            return hasLetter
        default: return false
        }
    }

    // MARK: Lists

    private func call(_ name: String, of list: ListValue, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = arguments.positional
        func argument() throws(Fault) -> Value {
            guard let value = values.first else { throw Fault("\(name) needs an argument") }
            return value
        }
        switch name {
        case "append":
            try spend(4)
            list.items.append(try argument())
        case "extend":
            let items = try items(of: try argument())
            try spend(4 * items.count)
            list.items += items
        case "insert":
            guard values.count == 2 else { throw Fault("insert needs an index and a value") }
            let index = try integer(values[0], 0, name)
            try spend(4 + list.items.count / 16)
            let place = index < 0 ? index + list.items.count : index
            list.items.insert(values[1], at: min(max(place, 0), list.items.count))
        case "pop":
            let index = try integer(values.first, -1, name)
            let place = index < 0 ? index + list.items.count : index
            guard list.items.indices.contains(place) else {
                throw Fault(list.items.isEmpty ? "pop from empty list" : "pop index out of range")
            }
            try spend((list.items.count - place) / 16)
            return list.items.remove(at: place)
        case "clear": list.items = []
        case "copy": return try self.list(list.items)
        case "reverse":
            try spend(list.items.count)
            list.items.reverse()
        case "sort":
            let sorted = try apply(
                filter: "sort", to: .list(list),
                CallArguments(
                    keywords: arguments.keywords.filter { $0.name == "reverse" }
                        + [(name: "case_sensitive", value: .bool(true))]))
            list.items = try items(of: sorted)
        case "remove", "index":
            let value = try argument()
            for (index, item) in list.items.enumerated() where try areEqual(item, value) {
                if name == "index" { return .integer(index) }
                // The comparison cannot have changed the list.
                list.items.remove(at: index)
                return .none
            }
            throw Fault("\(name): the value is not in the list")
        case "count":
            let value = try argument()
            var count = 0
            for item in list.items where try areEqual(item, value) { count += 1 }
            return .integer(count)
        default: throw Fault("'list object' has no method '\(name)'")
        }
        return .none
    }

    // MARK: Mappings

    private func call(_ name: String, of mapping: MappingValue, _ arguments: CallArguments) throws(Fault) -> Value {
        let values = arguments.positional
        switch name {
        case "items": return try pairs(of: mapping, .items)
        case "keys": return try list(mapping.keys, .keys)
        case "values": return try list(mapping.values, .values)
        case "get", "setdefault", "pop":
            guard let given = values.first else { throw Fault("\(name) expected at least 1 argument, got 0") }
            let key = try key(given)
            if name == "pop" {
                try spend(mapping.count)
                if let value = mapping.remove(key) ?? values.dropFirst().first { return value }
                var builder = makeBuilder()
                try describe(given, in: &builder)
                throw Fault("no key \(try finish(builder).string.printable)")
            }
            if let value = mapping[key] { return value }
            let standard = values.dropFirst().first ?? .none
            if name == "setdefault" {
                try spend(4)
                mapping.set(given, key, standard)
            }
            return standard
        case "update":
            if let source = values.first { try update(mapping, from: source) }
            for (name, value) in arguments.keywords { mapping.set(.string(name), .text(Array(name.utf8)), value) }
            return .none
        case "copy":
            let copy = try makeMapping()
            try update(copy, from: .mapping(mapping))
            return .mapping(copy)
        case "popitem":
            guard let last = mapping.keys.last, let value = mapping.remove(try key(last)) else {
                throw Fault("popitem(): dictionary is empty")
            }
            return try list([last, value], .tuple)
        case "clear":
            mapping.removeAll()
            return .none
        default: throw Fault("'dict object' has no method '\(name)'")
        }
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isalpha` holds.
    fileprivate var isPythonLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}
