// Reads the fields of a JSON request. An error names the field.

#if Server

import HTTPTypes
import InferSupport
import SwiftInfer

/// The members of a request's object, or of an object in it.
///
/// A member that is `null` counts as absent. Members that nobody reads are ignored: clients send fields for other servers.
struct RequestReader {
    /// The members.
    let object: JSONObject
    /// The path of the object in the request, with a point at its end; empty for the request itself.
    private let path: String

    /// The deepest nesting of arrays and objects in a request.
    static let maximumDepth = 64

    /// Reads a request's body.
    init(body: some Sequence<UInt8>) throws(APIError) {
        let value: JSONValue
        do throws(InferenceError) {
            value = try JSONValue(parsing: body)
        } catch {
            throw APIError(.badRequest, "the body is not valid JSON: \(error.message)", code: "invalid_json")
        }
        guard case .object(let object) = value else {
            throw APIError(.badRequest, "the body must be a JSON object", code: "invalid_json")
        }
        guard value.isNested(within: Self.maximumDepth) else {
            throw APIError(
                .badRequest, "the body has more than \(Self.maximumDepth) levels of arrays and objects",
                code: "invalid_json")
        }
        self.init(object)
    }

    /// A reader of `object` at `path`.
    init(_ object: JSONObject, at path: String = "") {
        self.object = object
        self.path = path
    }

    /// The name of the member `field` in messages.
    func name(_ field: String) -> String { path + field }

    /// The value of `field`; nil if it is absent or null.
    func value(_ field: String) -> JSONValue? {
        guard let value = object[field], value != .null else { return nil }
        return value
    }

    /// Whether `field` has a value.
    func has(_ field: String) -> Bool { value(field) != nil }

    /// An error about `field`.
    func error(_ field: String, _ message: String) -> APIError { .invalid(name(field), "\(name(field)) \(message)") }

    /// A text: that of the first of `fields` that has a value.
    func string(_ fields: String...) throws(APIError) -> String? {
        guard let field = fields.first(where: has), let value = value(field) else { return nil }
        guard case .string(let text) = value else { throw error(field, "must be a string") }
        return text
    }

    /// A truth value.
    func bool(_ field: String) throws(APIError) -> Bool? {
        guard let value = value(field) else { return nil }
        guard case .bool(let flag) = value else { throw error(field, "must be true or false") }
        return flag
    }

    /// A whole number within `range`. Numbers such as `3.0` are whole.
    func integer(_ field: String, _ range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = value(field) else { return nil }
        let number: Int? =
            switch value {
            case .integer(let number): number
            case .number(let number): Int(exactly: number)
            default: nil
            }
        guard let number else { throw error(field, "must be a whole number") }
        guard range.contains(number) else {
            throw error(field, "is \(number), but must lie between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    /// A finite number within `range`.
    func number(_ field: String, _ range: ClosedRange<Double>) throws(APIError) -> Double? {
        guard let value = value(field) else { return nil }
        guard let number = value.double, number.isFinite else { throw error(field, "must be a finite number") }
        guard range.contains(number) else {
            throw error(field, "is \(number), but must lie between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    /// An array of at most `limit` elements.
    func array(_ field: String, limit: Int) throws(APIError) -> [JSONValue]? {
        guard let value = value(field) else { return nil }
        guard case .array(let elements) = value else { throw error(field, "must be an array") }
        guard elements.count <= limit else {
            throw error(field, "has \(elements.count) elements, but at most \(limit) are allowed")
        }
        return elements
    }

    /// An array of objects, each with its own reader.
    func objects(_ field: String, limit: Int) throws(APIError) -> [RequestReader]? {
        guard let elements = try array(field, limit: limit) else { return nil }
        var readers: [RequestReader] = []
        for (index, element) in elements.enumerated() {
            guard case .object(let object) = element else { throw error("\(field)[\(index)]", "must be an object") }
            readers.append(RequestReader(object, at: name("\(field)[\(index)].")))
        }
        return readers
    }

    /// An object.
    func reader(_ field: String) throws(APIError) -> RequestReader? {
        guard let value = value(field) else { return nil }
        guard case .object(let object) = value else { throw error(field, "must be an object") }
        return RequestReader(object, at: name(field) + ".")
    }

    /// A text, or an array of texts.
    func strings(_ field: String, limit: Int) throws(APIError) -> [String]? {
        guard let value = value(field) else { return nil }
        if case .string(let text) = value { return [text] }
        guard let elements = try? array(field, limit: limit), let texts = Self.texts(elements) else {
            throw error(field, "must be a string, or an array of at most \(limit) strings")
        }
        return texts
    }

    private static func texts(_ elements: [JSONValue]) -> [String]? {
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }

    /// Tokens of a vocabulary of `count`.
    func tokens(_ field: String, vocabulary count: Int) throws(APIError) -> [TokenID]? {
        guard let elements = try array(field, limit: 1 << 20) else { return nil }
        return try tokens(elements, field, vocabulary: count)
    }

    /// The tokens that `elements` of the member `field` are.
    func tokens(_ elements: [JSONValue], _ field: String, vocabulary count: Int) throws(APIError) -> [TokenID] {
        var tokens: [TokenID] = []
        tokens.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard case .integer(let id) = element else { throw error("\(field)[\(index)]", "must be a token's number") }
            guard (0..<count).contains(id) else {
                throw error("\(field)[\(index)]", "is \(id), which is outside the vocabulary of \(count) tokens")
            }
            tokens.append(TokenID(id))
        }
        return tokens
    }
}

extension JSONValue {
    /// The number, if this is one.
    var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// Whether no array or object is nested deeper than `depth`.
    fileprivate func isNested(within depth: Int) -> Bool {
        switch self {
        case .array(let elements): depth > 0 && elements.allSatisfy { $0.isNested(within: depth - 1) }
        case .object(let object):
            depth > 0 && object.members.allSatisfy { $0.value.isNested(within: depth - 1) }
        default: true
        }
    }
}

#endif
