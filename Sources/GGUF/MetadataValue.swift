// One value of GGUF metadata, and its type.

/// A metadata value. The cases are those of the format, so the set is closed.
public enum MetadataValue: Sendable, Equatable {
    /// An unsigned byte.
    case uint8(UInt8)
    /// A signed byte.
    case int8(Int8)
    /// A 16-bit unsigned integer.
    case uint16(UInt16)
    /// A 16-bit integer.
    case int16(Int16)
    /// A 32-bit unsigned integer.
    case uint32(UInt32)
    /// A 32-bit integer.
    case int32(Int32)
    /// A 64-bit unsigned integer.
    case uint64(UInt64)
    /// A 64-bit integer.
    case int64(Int64)
    /// A single-precision float.
    case float32(Float)
    /// A double-precision float.
    case float64(Double)
    /// A Boolean, stored in one byte.
    case bool(Bool)
    /// Text; invalid UTF-8 becomes U+FFFD.
    case string(String)
    /// An array of values of one type.
    case array(MetadataArray)

    /// The value's type.
    public var type: MetadataType {
        switch self {
        case .uint8: .uint8
        case .int8: .int8
        case .uint16: .uint16
        case .int16: .int16
        case .uint32: .uint32
        case .int32: .int32
        case .uint64: .uint64
        case .int64: .int64
        case .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .string: .string
        case .array: .array
        }
    }

    /// The value as an integer; nil for other types and for values that do not fit into `Int`.
    public var integer: Int? {
        switch self {
        case .uint8(let value): Int(value)
        case .int8(let value): Int(value)
        case .uint16(let value): Int(value)
        case .int16(let value): Int(value)
        case .uint32(let value): Int(value)
        case .int32(let value): Int(value)
        case .uint64(let value): Int(exactly: value)
        case .int64(let value): Int(exactly: value)
        case .float32, .float64, .bool, .string, .array: nil
        }
    }

    /// The value as a float; nil for other types and for values that are not finite.
    public var float: Float? {
        switch self {
        case .float32(let value): value.isFinite ? value : nil
        case .float64(let value): Float(value).isFinite ? Float(value) : nil
        default: nil
        }
    }
}

/// The type of a metadata value. The raw values are those of the format.
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
    /// A Boolean, stored in one byte.
    case bool = 7
    /// A 64-bit length and as many bytes.
    case string = 8
    /// An element type, a 64-bit count, and the elements.
    case array = 9
    /// A 64-bit unsigned integer.
    case uint64 = 10
    /// A 64-bit integer.
    case int64 = 11
    /// A double-precision float.
    case float64 = 12

    /// Size of one value in bytes; nil for strings and arrays, whose size varies.
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
