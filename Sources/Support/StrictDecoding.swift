// Decoding of options: what is left out keeps its standard value, and what is unknown is refused.

/// A key of any text.
package struct TextKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}

extension Decoder {
    /// The members of an object that has no keys but those of `keys`.
    ///
    /// - Throws: `DecodingError` that names another key.
    package func container<Keys: CodingKey & CaseIterable>(
        onlyKeyedBy keys: Keys.Type
    ) throws -> KeyedDecodingContainer<Keys> {
        let known = Set(keys.allCases.map(\.stringValue))
        for key in try container(keyedBy: TextKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath + [key],
                    debugDescription: "there is no option \(key.stringValue.printable); there are: "
                        + keys.allCases.map(\.stringValue).joined(separator: ", ")))
        }
        return try container(keyedBy: keys)
    }
}

extension KeyedDecodingContainer {
    /// Sets `value` to the member of that key, if there is one.
    package func decode<Value: Decodable>(_ key: Key, into value: inout Value) throws {
        if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
    }

    /// The same for a value that can be absent.
    package func decode<Value: Decodable>(_ key: Key, into value: inout Value?) throws {
        if let found = try decodeIfPresent(Value.self, forKey: key) { value = found }
    }
}
