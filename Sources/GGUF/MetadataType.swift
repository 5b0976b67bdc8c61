// The value types of GGUF metadata.

/// The type of a metadata value, as numbered in the file.
public enum MetadataType: UInt32, Sendable {
    /// An unsigned byte.
    case uint8 = 0
    /// A signed byte.
    case int8 = 1
    /// A 16-bit unsigned integer.
    case uint16 = 2
    /// A 16-bit integer.
    case int16 = 3
    /// A 32-bit unsigned integer.
    case uint32 = 4
    /// A 32-bit integer.
    case int32 = 5
    /// A single-precision float.
    case float32 = 6
    /// A truth value, in one byte.
    case bool = 7
    /// A length of 64 bits and as many bytes.
    case string = 8
    /// An element type, a count of 64 bits, and the elements.
    case array = 9
    /// A 64-bit unsigned integer.
    case uint64 = 10
    /// A 64-bit integer.
    case int64 = 11
    /// A double-precision float.
    case float64 = 12

    /// Bytes of one value; nil for strings and arrays, whose size varies.
    var fixedSize: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }
}
