// Typed access to the metadata keys of one architecture.

import InferGGUF
import InferSupport

/// The keys `ARCHITECTURE.…` of a model's metadata, with range checks.
struct ArchitectureKeys {
    /// For what the tensors show.
    let file: GGUFFile
    private let metadata: Metadata
    private let prefix: String

    init(_ file: GGUFFile, architecture: String) {
        self.file = file
        metadata = file.metadata
        prefix = architecture + "."
    }

    func malformed(_ key: String, _ fault: String) -> InferenceError { metadata.malformed(prefix + key, fault) }

    func unsupported(_ key: String, _ fault: String) -> InferenceError {
        metadata.error(.unsupportedModel, prefix + key, fault)
    }

    /// Whether block `layer` has a tensor of that name.
    func hasTensor(_ layer: Int, _ name: String) -> Bool { file.tensor("blk.\(layer).\(name)") != nil }

    func has(_ key: String) -> Bool { metadata[prefix + key] != nil }

    func required<T>(_ value: T?, _ key: String) throws(InferenceError) -> T {
        guard let value else { throw malformed(key, "is absent") }
        return value
    }

    func optionalCount(_ key: String, in range: ClosedRange<Int>) throws(InferenceError) -> Int? {
        guard let value = try metadata.integer(prefix + key) else { return nil }
        guard range.contains(value) else {
            throw malformed(key, "is \(value), not within \(range.lowerBound)…\(range.upperBound)")
        }
        return value
    }

    func count(_ key: String, in range: ClosedRange<Int>) throws(InferenceError) -> Int {
        try required(optionalCount(key, in: range), key)
    }

    /// More blocks, heads or positions than any model has; keeps products of counts far from overflow.
    static let largestCount = 1 << 24

    /// One count per layer, for a key that files give once or per layer; nil where it is absent. With `orZero`, a layer may have 0.
    func counts(
        _ key: String, of layers: Int, in range: ClosedRange<Int>, orZero: Bool = false
    ) throws(InferenceError) -> [Int]? {
        guard case .array(let array)? = metadata[prefix + key] else {
            return try optionalCount(key, in: range).map { Array(repeating: $0, count: layers) }
        }
        guard let values = try metadata.integers(prefix + key), values.count >= layers else {
            throw malformed(key, "has \(array.count) values, too few for the \(layers) layers of block_count")
        }
        if let layer = values.prefix(layers).firstIndex(where: {
            !range.contains($0) && !(orZero && $0 == 0)
        }) {
            throw malformed(
                key, "is \(values[layer]) for layer \(layer), not within \(range.lowerBound)…\(range.upperBound)")
        }
        return Array(values.prefix(layers))
    }

    /// An array of `count` or more unsigned integers.
    ///
    /// - Parameter reason: The keys that the count comes from.
    func unsignedIntegers(_ key: String, count: Int, by reason: String) throws(InferenceError) -> [UInt64] {
        guard case .array(let array)? = metadata[prefix + key] else { throw malformed(key, "is absent or no array") }
        guard let values = array.unsignedIntegers, values.count >= count else {
            throw malformed(key, "is not an array of the \(count) unsigned integers that \(reason) asks for")
        }
        return values
    }

    /// Far above the largest base of a rotation; scales beyond it leave no finite logits.
    private static let plausible: Float = 1e15

    /// A number above 0: a scale, a base, an ε. No model can be computed with another.
    func positive(_ key: String) throws(InferenceError) -> Float? {
        guard let value = try metadata.float(prefix + key) else { return nil }
        guard value > 0, value <= Self.plausible else {
            throw malformed(key, "is \(value), but must be above 0 and at most \(Self.plausible)")
        }
        return value
    }

    /// A number above 0, where files write 0 for one that is not used.
    func positiveUnlessZero(_ key: String) throws(InferenceError) -> Float? {
        guard let value = try metadata.float(prefix + key), value != 0 else { return nil }
        return try positive(key)
    }

    func bool(_ key: String) throws(InferenceError) -> Bool? { try metadata.bool(prefix + key) }
    func string(_ key: String) throws(InferenceError) -> String? { try metadata.string(prefix + key) }

    /// One truth value per layer; nil where the key is absent or no array.
    func flags(_ key: String, of count: Int) throws(InferenceError) -> [Bool]? {
        guard case .array(let array)? = metadata[prefix + key] else { return nil }
        guard let flags = array.bools ?? array.integers?.map({ $0 != 0 }), flags.count >= count else {
            throw malformed(key, "does not cover \(count) layers")
        }
        return Array(flags.prefix(count))
    }

    /// The sections of multi-section RoPE; nil where the file has none.
    func sections() throws(InferenceError) -> [Int]? {
        let key = "rope.dimension_sections"
        guard let sections = try metadata.integers(prefix + key) else { return nil }
        guard sections.count == 4, sections.allSatisfy((0...65_536).contains) else {
            throw malformed(key, "is no array of four numbers of pairs")
        }
        return sections
    }

    /// Which layers have a sliding window: given per layer, or as a period of which the last layer has none, or else the first.
    func windowedLayers(
        of count: Int, defaultPeriod: Int, firstIsFull: Bool = false
    ) throws(InferenceError) -> [Bool] {
        let key = "attention.sliding_window_pattern"
        if let flags = try flags(key, of: count) { return flags }
        let period = try optionalCount(key, in: 0...4096) ?? defaultPeriod
        return (0..<count).map { period == 0 || $0 % period != (firstIsFull ? 0 : period - 1) }
    }
}
