// A document of JSON schemas: finds the schemas that references point to, and reads each once.

import InferSupport

/// The schemas of a document. They are numbered as they are found and read when they are needed, so that schemas that nothing refers to
/// may contain anything.
struct SchemaDocument {
    private let root: JSONValue
    private let limits: GrammarLimits
    /// By pointer.
    private var numbers: [String: SchemaID] = [:]
    private var sources: [(path: String, value: JSONValue)] = []
    private var schemas: [Schema?] = []

    /// A document.
    init(_ root: JSONValue, _ limits: GrammarLimits) { (self.root, self.limits) = (root, limits) }

    /// The number of the schema that stands at `path`.
    ///
    /// - Throws: `invalidArgument` beyond the limit.
    mutating func add(_ value: JSONValue, at path: String) throws(InferenceError) -> SchemaID {
        if let known = numbers[path] { return known }
        guard sources.count < limits.rules else {
            throw InferenceError(.invalidArgument, "the JSON schema has more than \(limits.rules) schemas")
        }
        numbers[path] = sources.count
        sources.append((path, value))
        schemas.append(nil)
        return sources.count - 1
    }

    /// The keywords of a schema.
    mutating func schema(_ number: SchemaID) throws(InferenceError) -> Schema {
        if let schema = schemas[number] { return schema }
        let schema = try Schema(sources[number].value, path: sources[number].path, in: &self)
        schemas[number] = schema
        return schema
    }

    // MARK: References

    /// The schema that a reference points to.
    ///
    /// - Throws: `invalidArgument` for references out of the document, and for those that point to nothing.
    mutating func resolve(_ reference: String, from path: String) throws(InferenceError) -> SchemaID {
        func fault(_ message: String) -> InferenceError {
            InferenceError(
                .invalidArgument, "JSON schema, \(path.printable): the reference \"\(reference.printable)\" \(message)")
        }
        guard reference == "#" || reference.hasPrefix("#/") else {
            throw fault("is not supported: only \"#\" and \"#/…\" are, which point into the same document")
        }
        guard let pointer = reference.removingPercentEncoding else { throw fault("is no URI") }
        if let known = numbers[pointer] { return known }
        var value = root
        for token in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let name = String(token.replacing("~1", with: "/").replacing("~0", with: "~"))
            let next: JSONValue? =
                switch value {
                case .object(let object): object[name]
                case .array(let elements): Int(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
                default: nil
                }
            guard let next else { throw fault("points to nothing") }
            value = next
        }
        return try add(value, at: pointer)
    }
}

extension String {
    /// The text with bytes in place of `%HH`; nil if that is no UTF-8, or a percent sign has no digits.
    fileprivate var removingPercentEncoding: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            rest = rest.dropFirst(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
