// Reads the calls of tools in the notations of the model families.

import InferSupport

/// Reads calls from what stands between their marks.
struct CallReader {
    struct Call {
        var id: String?
        var name: String
        var arguments: JSONObject
    }

    let tools: [ToolDefinition]

    /// The calls in `body`; nil if it cannot be read.
    func calls(in body: [UInt8], _ form: AnswerSyntax.Form) -> [Call]? {
        let text = String(decoding: body, as: UTF8.self)
        switch form {
        case .json: return json(body)
        case .nameAndJSON(let separators): return nameAndJSON(text, separators)
        case .function: return functions(text)
        case .argumentKeys: return argumentKeys(text).map { [$0] }
        case .invoke(let prefix): return invocations(text, prefix: prefix)
        case .gemma: return gemma(text)
        case .python:
            var reader = NotationReader(body)
            return reader.pythonCalls() ?? json(body)
        }
    }

    // MARK: JSON

    /// An object with a name and arguments, an array of these, or objects in a row.
    func json(_ body: [UInt8]) -> [Call]? {
        var calls: [Call] = []
        var reader = JSONReader(bytes: body)
        while body[reader.position...].contains(where: { !$0.isSpace && $0 != 0x3B && $0 != 0x2C }) {
            if let next = body[reader.position...].firstIndex(where: { !$0.isSpace && $0 != 0x3B && $0 != 0x2C }) {
                reader = JSONReader(bytes: body, position: next)
            }
            guard let value = try? reader.value(), let found = self.calls(in: value) else { return nil }
            calls += found
        }
        return calls.isEmpty ? nil : calls
    }

    private func calls(in value: JSONValue) -> [Call]? {
        if case .array(let elements) = value {
            var calls: [Call] = []
            for element in elements {
                guard let found = self.calls(in: element) else { return nil }
                calls += found
            }
            return calls
        }
        guard case .object(var object) = value else { return nil }
        if case .object(let inner)? = object["function"] { object = inner }
        guard let name = (object["name"] ?? object["tool_name"] ?? object["function"])?.string else {
            // {"name": {…}}
            guard object.members.count == 1, case .object(let arguments) = object.members[0].value else { return nil }
            return [Call(name: object.members[0].key, arguments: arguments)]
        }
        guard let arguments = arguments(object["arguments"] ?? object["parameters"] ?? [:]) else { return nil }
        return [Call(id: object["id"]?.string, name: name, arguments: arguments)]
    }

    /// Arguments as an object, also if they are JSON in a string.
    private func arguments(_ value: JSONValue) -> JSONObject? {
        switch value {
        case .object(let object): return object
        case .null: return JSONObject()
        case .string(let text):
            if case .object(let object)? = try? JSONValue(parsing: text) { return object }
            return nil
        default: return nil
        }
    }

    private func nameAndJSON(_ text: String, _ separators: [String]) -> [Call]? {
        // Older models of Mistral write a list of objects.
        if let calls = json(Array(text.utf8)) { return calls }
        guard let brace = text.utf8.firstIndex(of: UInt8(ascii: "{")) else { return nil }
        var head = String(text[..<brace])
        var id: String?
        for separator in separators {
            guard let range = head.utf8.range(of: separator) else { continue }
            let (before, after) = (String(head[..<range.lowerBound]), String(head[range.upperBound...]))
            switch separator {
            case "[CALL_ID]":
                let end = after.utf8.range(of: "[ARGS]")?.lowerBound ?? after.endIndex
                id = String(after[..<end]).trimmingSpace
                head = before
            case "function<｜tool▁sep｜>", "<|tool_call:name|>":
                if separator == "<|tool_call:name|>" {
                    id = before.trimmingSpace
                } else if !before.trimmingSpace.isEmpty {
                    // A tool whose name ends with "function".
                    continue
                }
                head = after
            default: head = before
            }
        }
        var reader = JSONReader(bytes: Array(text.utf8), position: text.utf8.distance(from: text.startIndex, to: brace))
        guard case .object(let arguments)? = try? reader.value() else { return nil }
        var name = head.trimmingSpace
        // ```json before the arguments (DeepSeek)
        if let fence = name.utf8.range(of: "```") { name = String(name[..<fence.lowerBound]).trimmingSpace }
        // functions.name:0 (Kimi)
        if name.hasPrefix("functions.") {
            if id == nil { id = name }
            name = String(name.dropFirst("functions.".count).prefix { $0 != ":" })
        }
        guard !name.isEmpty, !name.contains(where: \.isWhitespace) else { return nil }
        return [Call(id: id, name: name, arguments: arguments)]
    }

    // MARK: Tags

    /// A value of an argument that is written without quotes. It is a string where the tool's schema says so, or where it is not
    /// JSON.
    private func value(_ text: String, of key: String, in tool: String) -> JSONValue {
        let schema = tools.first { $0.name == tool }?.parameters["properties"]?[key]
        if let type = schema?["type"]?.string, type == "string" { return .string(text) }
        return (try? JSONValue(parsing: text)) ?? .string(text)
    }

    private func functions(_ text: String) -> [Call]? {
        var rest = text[...]
        var calls: [Call] = []
        while let start = rest.utf8.range(of: "<function=") {
            rest = rest[start.upperBound...]
            guard let nameEnd = rest.utf8.firstIndex(of: UInt8(ascii: ">")) else { return nil }
            let name = String(rest[..<nameEnd]).trimmingSpace
            rest = rest[rest.utf8.index(after: nameEnd)...]
            let end = rest.utf8.lastRange(of: "</function>", before: rest.utf8.range(of: "<function=")?.lowerBound)
            let body = rest[..<(end?.lowerBound ?? rest.endIndex)]
            rest = rest[(end?.upperBound ?? rest.endIndex)...]
            if let arguments = try? JSONValue(parsing: String(body)), case .object(let object) = arguments {
                calls.append(Call(name: name, arguments: object))
                continue
            }
            guard let arguments = parameters(body, opening: "<parameter=", closing: "</parameter>", of: name) else {
                return nil
            }
            calls.append(Call(name: name, arguments: arguments))
        }
        return calls.isEmpty ? nil : calls
    }

    /// `<parameter=key>value</parameter>`. One line break at each side of the value belongs to the marks. A value ends at the last
    /// closing mark before the next parameter, since values can spell the mark.
    private func parameters(
        _ text: Substring, opening: String, closing: String, of tool: String
    ) -> JSONObject? {
        var arguments = JSONObject()
        var rest = text
        while let start = rest.utf8.range(of: opening) {
            rest = rest[start.upperBound...]
            guard let keyEnd = rest.utf8.firstIndex(of: UInt8(ascii: ">")) else { return nil }
            let key = String(rest[..<keyEnd]).trimmingSpace
            rest = rest[rest.utf8.index(after: keyEnd)...]
            let next = rest.utf8.range(of: "\n" + opening)?.lowerBound
            guard let end = rest.utf8.lastRange(of: closing, before: next) ?? rest.utf8.range(of: closing) else {
                return nil
            }
            var text = rest[..<end.lowerBound]
            if text.utf8.first == 0x0A { text = text[text.utf8.index(after: text.startIndex)...] }
            if text.utf8.last == 0x0A { text = text[..<text.utf8.index(before: text.endIndex)] }
            arguments[key] = value(String(text), of: key, in: tool)
            rest = rest[end.upperBound...]
        }
        return arguments
    }

    private func argumentKeys(_ text: String) -> Call? {
        let nameEnd = text.utf8.range(of: "<arg_key>")?.lowerBound ?? text.endIndex
        let name = String(text[..<nameEnd]).trimmingSpace
        guard !name.isEmpty, !name.contains(where: \.isWhitespace) else { return nil }
        var arguments = JSONObject()
        var rest = text[nameEnd...]
        while let start = rest.utf8.range(of: "<arg_key>") {
            guard let keyEnd = rest.utf8.range(of: "</arg_key>", from: start.upperBound),
                let valueStart = rest.utf8.range(of: "<arg_value>", from: keyEnd.upperBound)
            else { return nil }
            let next = rest.utf8.range(of: "<arg_key>", from: valueStart.upperBound)?.lowerBound
            guard
                let valueEnd = rest[valueStart.upperBound...].utf8.lastRange(of: "</arg_value>", before: next)
            else { return nil }
            let key = String(rest[start.upperBound..<keyEnd.lowerBound]).trimmingSpace
            arguments[key] = value(String(rest[valueStart.upperBound..<valueEnd.lowerBound]), of: key, in: name)
            rest = rest[valueEnd.upperBound...]
        }
        return Call(name: name, arguments: arguments)
    }

    private func invocations(_ text: String, prefix: String) -> [Call]? {
        let (opening, closing) = ("<\(prefix)invoke name=\"", "</\(prefix)invoke>")
        var calls: [Call] = []
        var rest = text[...]
        while let start = rest.utf8.range(of: opening) {
            rest = rest[start.upperBound...]
            guard let nameEnd = rest.utf8.range(of: "\">") else { return nil }
            let name = String(rest[..<nameEnd.lowerBound])
            rest = rest[nameEnd.upperBound...]
            let next = rest.utf8.range(of: opening)?.lowerBound
            let end = rest.utf8.lastRange(of: closing, before: next)
            guard let arguments = namedParameters(rest[..<(end?.lowerBound ?? next ?? rest.endIndex)], prefix, of: name)
            else { return nil }
            calls.append(Call(name: name, arguments: arguments))
            rest = rest[(end?.upperBound ?? next ?? rest.endIndex)...]
        }
        return calls.isEmpty ? nil : calls
    }

    /// `<parameter name="key" string="true">value</parameter>`; the attribute `string` can be missing.
    private func namedParameters(_ text: Substring, _ prefix: String, of tool: String) -> JSONObject? {
        let (opening, closing) = ("<\(prefix)parameter name=\"", "</\(prefix)parameter>")
        var arguments = JSONObject()
        var rest = text
        while let start = rest.utf8.range(of: opening) {
            rest = rest[start.upperBound...]
            guard let keyEnd = rest.utf8.firstIndex(of: UInt8(ascii: "\"")),
                let tagEnd = rest[keyEnd...].utf8.firstIndex(of: UInt8(ascii: ">"))
            else { return nil }
            let key = String(rest[..<keyEnd])
            let attributes = String(rest[keyEnd..<tagEnd])
            rest = rest[rest.utf8.index(after: tagEnd)...]
            let next = rest.utf8.range(of: opening)?.lowerBound
            guard let end = rest.utf8.lastRange(of: closing, before: next) else { return nil }
            let text = String(rest[..<end.lowerBound])
            if attributes.containsBytes(of: "string=\"true\"") {
                arguments[key] = .string(text)
            } else {
                arguments[key] = value(text, of: key, in: tool)
            }
            rest = rest[end.upperBound...]
        }
        return arguments
    }

    // MARK: Other notations

    private func gemma(_ text: String) -> [Call]? {
        let text = text.trimmingSpace
        guard text.hasPrefix("call:"), let brace = text.utf8.firstIndex(of: UInt8(ascii: "{")) else { return nil }
        let name = String(text[..<brace].dropFirst("call:".count)).trimmingSpace
        var reader = NotationReader(Array(text[brace...].utf8))
        guard case .object(let arguments)? = reader.gemmaValue(), !name.isEmpty else { return nil }
        return [Call(name: name, arguments: arguments)]
    }
}

/// Reads values in notations that are not JSON: Python's literals, and Gemma's objects.
private struct NotationReader {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() { while let byte = current, byte.isSpace { position += 1 } }

    private mutating func take(_ spelling: String) -> Bool {
        skipSpace()
        guard bytes[position...].starts(with: spelling.utf8) else { return false }
        position += spelling.utf8.count
        return true
    }

    private mutating func word() -> String? {
        skipSpace()
        let start = position
        while let byte = current, Unicode.Scalar(byte).isWord || byte >= 0x80 || byte == 0x2E || byte == 0x2D {
            position += 1
        }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private mutating func nested(_ read: (inout NotationReader) -> JSONValue?) -> JSONValue? {
        guard depth < JSONValue.maximumDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        return read(&self)
    }

    // MARK: Python

    /// `[name(key=value, …), …]`, or one call. Llama writes the method `call` of a built-in tool.
    mutating func pythonCalls() -> [CallReader.Call]? {
        let isList = take("[")
        var calls: [CallReader.Call] = []
        repeat {
            guard let name = word(), take("(") else { return nil }
            var arguments = JSONObject()
            while !take(")") {
                if !arguments.members.isEmpty, !take(",") { return nil }
                guard let key = word(), take("="), let value = pythonValue() else { return nil }
                arguments[key] = value
            }
            let isMethod = name.hasSuffix(".call")
            calls.append(CallReader.Call(name: isMethod ? String(name.dropLast(5)) : name, arguments: arguments))
        } while take(",")
        if isList, !take("]") { return nil }
        skipSpace()
        return position == bytes.count ? calls : nil
    }

    private mutating func pythonValue() -> JSONValue? {
        skipSpace()
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return pythonString().map { .string($0) }
        case UInt8(ascii: "["), UInt8(ascii: "("):
            let closing = current == UInt8(ascii: "[") ? "]" : ")"
            position += 1
            return nested { reader in
                var elements: [JSONValue] = []
                while !reader.take(closing) {
                    if !elements.isEmpty {
                        guard reader.take(",") else { return nil }
                        if reader.take(closing) { break }
                    }
                    guard let element = reader.pythonValue() else { return nil }
                    elements.append(element)
                }
                return .array(elements)
            }
        case UInt8(ascii: "{"):
            position += 1
            return nested { reader in
                var object = JSONObject()
                while !reader.take("}") {
                    if !object.members.isEmpty {
                        guard reader.take(",") else { return nil }
                        if reader.take("}") { break }
                    }
                    guard case .string(let key)? = reader.pythonValue(), reader.take(":"),
                        let value = reader.pythonValue()
                    else { return nil }
                    object[key] = value
                }
                return .object(object)
            }
        default: return plainValue()
        }
    }

    private mutating func pythonString() -> String? {
        guard let quote = current else { return nil }
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            if byte == quote { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\"), let escaped = current else {
                text.append(byte)
                continue
            }
            position += 1
            switch escaped {
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "/"): text.append(escaped)
            case UInt8(ascii: "u"), UInt8(ascii: "x"):
                let length = escaped == UInt8(ascii: "u") ? 4 : 2
                let digits = String(decoding: bytes[position...].prefix(length), as: UTF8.self)
                guard digits.utf8.count == length, let value = UInt32(digits, radix: 16) else { return nil }
                position += length
                text += UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter
            default: text += [UInt8(ascii: "\\"), escaped]
            }
        }
        return nil
    }

    /// A number, or a word for true, false and null.
    private mutating func plainValue() -> JSONValue? {
        skipSpace()
        let start = position
        while let byte = current, Unicode.Scalar(byte).isWord || [0x2B, 0x2D, 0x2E].contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "True", "true": return true
        case "False", "false": return false
        case "None", "null", "none": return .null
        default:
            switch try? JSONValue(parsing: text) {
            case .integer(let number)?: return .integer(number)
            case .number(let number)?: return .number(number)
            default: return nil
            }
        }
    }

    // MARK: Gemma

    private static let quote = "<|\"|>"

    /// `{key:value,…}`, `[value,…]`, `<|"|>text<|"|>`, a number, true, false or null.
    mutating func gemmaValue() -> JSONValue? {
        if take(Self.quote) { return gemmaString().map { .string($0) } }
        if take("{") {
            return nested { reader in
                var object = JSONObject()
                while !reader.take("}") {
                    if !object.members.isEmpty, !reader.take(",") { return nil }
                    let key = reader.take(Self.quote) ? reader.gemmaString() : reader.gemmaKey()
                    guard let key, reader.take(":"), let value = reader.gemmaValue() else { return nil }
                    object[key] = value
                }
                return .object(object)
            }
        }
        if take("[") {
            return nested { reader in
                var elements: [JSONValue] = []
                while !reader.take("]") {
                    if !elements.isEmpty, !reader.take(",") { return nil }
                    guard let element = reader.gemmaValue() else { return nil }
                    elements.append(element)
                }
                return .array(elements)
            }
        }
        return plainValue()
    }

    private mutating func gemmaString() -> String? {
        guard let end = bytes.firstMark(of: [Self.quote], from: position) else { return nil }
        defer { position = end.range.upperBound }
        return String(decoding: bytes[position..<end.range.lowerBound], as: UTF8.self)
    }

    private mutating func gemmaKey() -> String? {
        skipSpace()
        let start = position
        while let byte = current, byte != UInt8(ascii: ":"), byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
            position += 1
        }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }
}

extension AnswerSyntax.Form {
    /// Whether `body` can be a whole call: no value in it is open.
    func isWhole(_ body: [UInt8]) -> Bool {
        func ends(with mark: String) -> Bool {
            let end = body.lastIndex { !$0.isSpace } ?? -1
            return body[...end].suffix(mark.utf8.count).elementsEqual(mark.utf8)
        }
        switch self {
        case .json, .nameAndJSON: return !body.contains(UInt8(ascii: "{")) || body.hasWholeJSON
        case .function: return ends(with: "</function>")
        case .argumentKeys: return body.firstMark(of: ["<arg_key>"]) == nil || ends(with: "</arg_value>")
        case .invoke(let prefix): return ends(with: "</\(prefix)invoke>")
        case .gemma:
            var isOpen = false
            var start = 0
            while let quote = body.firstMark(of: ["<|\"|>"], from: start) {
                isOpen.toggle()
                start = quote.range.upperBound
            }
            return !isOpen
        case .python: return true
        }
    }
}

// MARK: Searching text

extension String {
    /// The text without white space at both ends.
    var trimmingSpace: String {
        let bytes = utf8
        let start = bytes.firstIndex { !$0.isSpace } ?? bytes.endIndex
        let end = bytes.lastIndex { !$0.isSpace }.map { bytes.index(after: $0) } ?? start
        return String(self[start..<end])
    }
}

extension Substring.UTF8View {
    /// The first occurrence of `text` at or after `start`.
    fileprivate func range(of text: String, from start: Index? = nil) -> Range<Index>? {
        let pattern = Array(text.utf8)
        guard let first = pattern.first else { return nil }
        var index = start ?? startIndex
        while let candidate = self[index...].firstIndex(of: first) {
            if self[candidate...].starts(with: pattern) {
                return candidate..<self.index(candidate, offsetBy: pattern.count)
            }
            index = self.index(after: candidate)
        }
        return nil
    }

    /// The last occurrence of `text` that ends at or before `end`.
    fileprivate func lastRange(of text: String, before end: Index?) -> Range<Index>? {
        var found: Range<Index>?
        var start = startIndex
        while let next = range(of: text, from: start), next.upperBound <= end ?? endIndex {
            found = next
            start = next.upperBound
        }
        return found
    }
}
