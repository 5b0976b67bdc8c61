// Typed access to the metadata keys of one architecture.

import GGUF

/// The keys `ARCHITECTURE.…` of a model's metadata, with range checks.
struct ArchitectureKeys {
    private let metadata: Metadata
    private let prefix: String

    init(_ metadata: Metadata, architecture: String) {
        self.metadata = metadata
        prefix = architecture + "."
    }

    func malformed(_ key: String, _ problem: String) -> InferenceError {
        InferenceError(.malformedModel, "metadata key \(prefix)\(key): \(problem)")
    }

    func required<T>(_ value: T?, _ key: String) throws(InferenceError) -> T {
        guard let value else { throw malformed(key, "it is absent") }
        return value
    }

    func optionalCount(_ key: String, in range: ClosedRange<Int>) throws(InferenceError) -> Int? {
        guard let value = try metadata.integer(prefix + key) else { return nil }
        guard range.contains(value) else {
            throw malformed(key, "\(value) is not within \(range.lowerBound)…\(range.upperBound)")
        }
        return value
    }

    func count(_ key: String, in range: ClosedRange<Int>) throws(InferenceError) -> Int {
        try required(optionalCount(key, in: range), key)
    }

    /// A count that some files give once and some per layer; only equal layers are supported.
    func uniformCount(_ key: String, in range: ClosedRange<Int>) throws(InferenceError) -> Int? {
        guard case .array? = metadata[prefix + key] else { return try optionalCount(key, in: range) }
        guard let values = try metadata.integers(prefix + key), let first = values.first, range.contains(first) else {
            throw malformed(key, "it is empty or out of range")
        }
        guard values.allSatisfy({ $0 == first }) else {
            throw InferenceError(.unsupportedModel, "metadata key \(prefix)\(key) differs between layers")
        }
        return first
    }

    func float(_ key: String) throws(InferenceError) -> Float? { try metadata.float(prefix + key) }
    func bool(_ key: String) throws(InferenceError) -> Bool? { try metadata.bool(prefix + key) }
    func string(_ key: String) throws(InferenceError) -> String? { try metadata.string(prefix + key) }

    /// Which layers have a sliding window: given per layer, or as a period of which the last layer has none.
    func windowedLayers(of count: Int, defaultPeriod: Int) throws(InferenceError) -> [Bool] {
        let key = "attention.sliding_window_pattern"
        if case .array(let array)? = metadata[prefix + key] {
            guard let pattern = array.bools ?? array.integers?.map({ $0 != 0 }), pattern.count >= count else {
                throw malformed(key, "it does not cover \(count) layers")
            }
            return Array(pattern.prefix(count))
        }
        let period = try optionalCount(key, in: 0...4096) ?? defaultPeriod
        return (0..<count).map { period == 0 || $0 % period < period - 1 }
    }
}
