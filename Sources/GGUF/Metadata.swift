// The metadata of a GGUF file: typed values by key.

public import InferSupport

/// The metadata of a model file: typed values with dotted keys, in file order.
///
/// The typed accessors return nil when the key is absent. They throw when the value has another type or is out of range, so
/// a default value never hides a malformed file.
public struct Metadata: Sendable {
    private struct Entry {
        var value: MetadataValue
        /// Offset of the entry in its file; nil for an entry that was set in code.
        let offset: Int?
    }

    /// The keys in file order.
    public private(set) var keys: [String] = []
    private var entries: [String: Entry] = [:]
    /// The file that the entries were read from; nil for none.
    package let path: String?

    /// Metadata without entries.
    public init() { path = nil }

    /// Empty metadata for entries of the file at `path`.
    init(path: String) { self.path = path }

    /// The value of `key`, of any type. A new key is added at the end. Setting nil removes the entry.
    public subscript(key: String) -> MetadataValue? {
        get { entries[key]?.value }
        set {
            guard let newValue else {
                if entries.removeValue(forKey: key) != nil { keys.removeAll { $0 == key } }
                return
            }
            if entries.updateValue(Entry(value: newValue, offset: nil), forKey: key) == nil { keys.append(key) }
        }
    }

    /// Adds an entry that was read at `offset` of the file. The key must be new.
    mutating func append(_ value: MetadataValue, forKey key: String, offset: Int) {
        entries[key] = Entry(value: value, offset: offset)
        keys.append(key)
    }

    /// The integer value of `key`.
    public func integer(_ key: String) throws(InferenceError) -> Int? { try get(key, "an integer") { $0.integer } }

    /// The finite floating-point value of `key`.
    public func float(_ key: String) throws(InferenceError) -> Float? { try get(key, "a finite float") { $0.float } }

    /// The Boolean value of `key`.
    public func bool(_ key: String) throws(InferenceError) -> Bool? {
        try get(key, "a bool") { if case .bool(let value) = $0 { value } else { nil } }
    }

    /// The string value of `key`.
    public func string(_ key: String) throws(InferenceError) -> String? {
        try get(key, "a string") { if case .string(let value) = $0 { value } else { nil } }
    }

    /// The array of integers of `key`.
    public func integers(_ key: String) throws(InferenceError) -> [Int]? {
        try get(key, "an array of integers") { $0.asArray?.integers }
    }

    /// The array of floats of `key`.
    public func floats(_ key: String) throws(InferenceError) -> [Float]? {
        try get(key, "an array of floats") { $0.asArray?.floats }
    }

    /// The array of Booleans of `key`.
    public func bools(_ key: String) throws(InferenceError) -> [Bool]? {
        try get(key, "an array of bools") { $0.asArray?.bools }
    }

    /// The array of strings of `key`.
    public func strings(_ key: String) throws(InferenceError) -> PackedStrings? {
        try get(key, "an array of strings") { $0.asArray?.strings }
    }

    private func get<T>(
        _ key: String, _ expected: String, _ convert: (MetadataValue) -> T?
    ) throws(InferenceError) -> T? {
        guard let value = entries[key]?.value else { return nil }
        guard let converted = convert(value) else {
            throw malformed(key, "is \(value.summary), expected \(expected)")
        }
        return converted
    }

    /// A `malformedModel` error about the entry of `key`. The message has the file, the key, `fault` and the offset.
    package func malformed(_ key: String, _ fault: String) -> InferenceError { error(.malformedModel, key, fault) }

    /// The same with another code.
    package func error(_ code: InferenceError.Code, _ key: String, _ fault: String) -> InferenceError {
        let place = entries[key]?.offset.map { " (at byte \($0))" } ?? ""
        return naming(InferenceError(code, "metadata key \(key.printable) \(fault)\(place)"))
    }

    /// `error` with the file's path before its message, for errors thrown where the file is not known.
    package func naming(_ error: InferenceError) -> InferenceError {
        guard let path else { return error }
        return InferenceError(error.code, "\(path): \(error.message)", cause: error.cause)
    }
}

extension MetadataValue {
    fileprivate var asArray: MetadataArray? { if case .array(let array) = self { array } else { nil } }

    /// The value as a short phrase for messages.
    fileprivate var summary: String {
        switch self {
        case .string(let text): "the string \"\(text.printable)\""
        case .array(let array): "an array of \(array.count) × \(array.elementType)"
        case .uint8(let value): "\(type) \(value)"
        case .int8(let value): "\(type) \(value)"
        case .uint16(let value): "\(type) \(value)"
        case .int16(let value): "\(type) \(value)"
        case .uint32(let value): "\(type) \(value)"
        case .int32(let value): "\(type) \(value)"
        case .uint64(let value): "\(type) \(value)"
        case .int64(let value): "\(type) \(value)"
        case .float32(let value): "\(type) \(value)"
        case .float64(let value): "\(type) \(value)"
        case .bool(let value): "\(type) \(value)"
        }
    }
}
