// JSON values that keep the order of keys, with a reader and a writer.

/// A JSON value. Objects keep the order of their keys.
public enum JSONValue: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without fraction and exponent that fits into 64 bits.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object(JSONObject)

    /// The deepest nesting of arrays and objects that is read.
    package static let maximumDepth = 200

    /// The member `key` of an object; nil for other values and unknown keys.
    public subscript(key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    /// The string, if this is one.
    public var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The elements, if this is an array.
    public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The members, if this is an object.
    public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
}

/// The members of a JSON object in their order. Keys are compared byte by byte. Two objects are equal if they have equal members
/// in the same order.
public struct JSONObject: Hashable, Sendable {
    /// One key with its value.
    public struct Member: Hashable, Sendable {
        /// The key.
        public var key: String
        /// The value.
        public var value: JSONValue

        /// A member.
        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }

        /// Whether keys and values are equal, without Unicode's canonical equivalence of keys.
        public static func == (one: Member, other: Member) -> Bool {
            one.key.utf8.elementsEqual(other.key.utf8) && one.value == other.value
        }
    }

    /// The members in order. No key occurs twice.
    public private(set) var members: [Member] = []

    /// An object without members.
    public init() {}

    /// The value of `key`; nil if there is none. Assigning nil removes the member; a new key is added at the end.
    public subscript(key: String) -> JSONValue? {
        get { index(of: key).map { members[$0].value } }
        set {
            switch (index(of: key), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    private func index(of key: String) -> Int? { members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) } }

    /// Members whose keys are known to differ.
    fileprivate init(distinct members: [Member]) { self.members = members }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object with these members; of equal keys, the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (key, value) in elements { self[key] = value }
    }
}

// MARK: Literals

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A string.
    public init(stringLiteral text: String) { self = .string(text) }
    /// An integer.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; of equal keys, the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
}

// MARK: Writing

extension JSONValue: CustomStringConvertible {
    /// The value as JSON without spaces. Numbers that JSON cannot express are written as `null`.
    public var description: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += "\(value)".utf8
        case .number(let value): bytes += (value.isFinite ? "\(value)" : "null").utf8
        case .string(let text): Self.quote(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.quote(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func quote(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if let escape = escape(of: byte) { bytes += escape.utf8 } else { bytes.append(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// How a byte of a string is escaped in JSON; nil for bytes that are written as they are.
    package static func escape(of byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\t"): "\\t"
        case 0x08: "\\b"
        case 0x0C: "\\f"
        case 0..<0x20: "\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
        default: nil
        }
    }
}

// MARK: Reading

extension JSONValue {
    /// Reads one JSON value (RFC 8259) in UTF-8. Of equal keys, the last value counts. Halves of surrogate pairs that stand alone
    /// become U+FFFD.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` and the line and column of the fault; also for values that are nested
    ///   more than 200 levels deep.
    public init(parsing text: some Sequence<UInt8>) throws(InferenceError) {
        var reader = JSONReader(bytes: Array(text))
        self = try reader.document()
    }

    /// Reads one JSON value.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` and the line and column of the fault.
    public init(parsing text: String) throws(InferenceError) { try self.init(parsing: text.utf8) }
}

/// Reads JSON values from bytes.
package struct JSONReader {
    private let bytes: [UInt8]
    /// The number of bytes that have been read.
    package private(set) var position: Int
    private var depth = 0

    /// A reader of `bytes` that begins at `position`.
    package init(bytes: [UInt8], position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The only value in the text.
    fileprivate mutating func document() throws(InferenceError) -> JSONValue {
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw failure("unexpected text after the value") }
        return value
    }

    /// The next value. Text after it is left unread.
    package mutating func value() throws(InferenceError) -> JSONValue {
        skipSpace()
        guard position < bytes.count else { throw failure("unexpected end") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try nested { (reader) throws(InferenceError) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(InferenceError) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested(
        _ read: (inout JSONReader) throws(InferenceError) -> JSONValue
    ) throws(InferenceError) -> JSONValue {
        guard depth < JSONValue.maximumDepth else {
            throw failure("more than \(JSONValue.maximumDepth) levels of arrays and objects")
        }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return try read(&self)
    }

    private mutating func object() throws(InferenceError) -> JSONValue {
        var members: [JSONObject.Member] = []
        var places: [[UInt8]: Int] = [:]
        if take("}") { return .object(JSONObject()) }
        repeat {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw failure("expected a key in quotes")
            }
            let key = try string()
            guard take(":") else { throw failure("expected a colon after the key") }
            let member = JSONObject.Member(key: key, value: try value())
            if let place = places.updateValue(members.count, forKey: Array(key.utf8)) {
                members[place] = member
                places[Array(key.utf8)] = place
            } else {
                members.append(member)
            }
        } while take(",")
        guard take("}") else { throw failure("expected a comma or the end of the object") }
        return .object(JSONObject(distinct: members))
    }

    private mutating func array() throws(InferenceError) -> JSONValue {
        var elements: [JSONValue] = []
        if take("]") { return .array([]) }
        repeat { elements.append(try value()) } while take(",")
        guard take("]") else { throw failure("expected a comma or the end of the array") }
        return .array(elements)
    }

    private mutating func string() throws(InferenceError) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter
            case 0..<0x20: throw failure("a control character in a string must be escaped")
            default: text.append(byte)
            }
        }
        throw failure("a string without end")
    }

    private mutating func escape() throws(InferenceError) -> Unicode.Scalar {
        guard position < bytes.count else { throw failure("a string without end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"):
            let first = try hexadecimal()
            if let scalar = Unicode.Scalar(first) { return scalar }
            // The first half of a pair, if the second half follows.
            guard first < 0xDC00, bytes[position...].starts(with: "\\u".utf8) else { return "\u{FFFD}" }
            let start = position
            position += 2
            let second = try hexadecimal()
            guard (0xDC00..<0xE000).contains(second) else {
                position = start
                return "\u{FFFD}"
            }
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
        default: throw failure("an unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(InferenceError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("expected four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private mutating func word(_ spelling: String, _ value: JSONValue) throws(InferenceError) -> JSONValue {
        guard bytes[position...].starts(with: spelling.utf8) else { throw failure("expected a value") }
        position += spelling.utf8.count
        return value
    }

    private mutating func number() throws(InferenceError) -> JSONValue {
        let start = position
        func digits(_ reader: inout JSONReader) -> Int {
            let first = reader.position
            while reader.position < reader.bytes.count, (0x30...0x39).contains(reader.bytes[reader.position]) {
                reader.position += 1
            }
            return reader.position - first
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let first = position
        let count = digits(&self)
        guard count > 0 else {
            position = start
            throw failure("expected a value")
        }
        guard count == 1 || bytes[first] != UInt8(ascii: "0") else { throw failure("a number with a leading zero") }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard digits(&self) > 0 else { throw failure("expected digits after the point") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard digits(&self) > 0 else { throw failure("expected digits after the exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text) else { throw failure("a number out of range") }
        return .number(value)
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, Unicode.Scalar(bytes[position]) == mark else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    private func failure(_ what: String) -> InferenceError {
        let read = bytes[..<min(position, bytes.count)]
        let line = read.count { $0 == UInt8(ascii: "\n") } + 1
        let column = read.count - (read.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return InferenceError(.invalidArgument, "not JSON: line \(line), column \(column): \(what)")
    }
}
