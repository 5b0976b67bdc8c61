// A small file that uses all features of the format: as bytes, and as input for the writer.

import InferGGUF

enum Sample {
    /// A value of every scalar type that uses its full size.
    static let scalars: [(key: String, value: MetadataValue, bytes: [UInt8])] = [
        ("scalar.uint8", .uint8(.max), [255]),
        ("scalar.int8", .int8(.min), [128]),
        ("scalar.uint16", .uint16(0xfffe), [0xfe, 0xff]),
        ("scalar.int16", .int16(-2), [0xfe, 0xff]),
        ("scalar.uint32", .uint32(0x0102_0304), [4, 3, 2, 1]),
        ("scalar.int32", .int32(.min), [0, 0, 0, 128]),
        ("scalar.float32", .float32(1.5), [0, 0, 0xc0, 0x3f]),
        ("scalar.bool", .bool(true), [1]),
        ("scalar.string", .string("naïve 🦙"), .string("naïve 🦙")),
        ("scalar.uint64", .uint64(.max), [UInt8](repeating: 255, count: 8)),
        ("scalar.int64", .int64(-2), [0xfe] + [UInt8](repeating: 255, count: 7)),
        ("scalar.float64", .float64(-2), [0, 0, 0, 0, 0, 0, 0, 0xc0]),
    ]

    /// An array of every type.
    static let arrays: [(key: String, value: MetadataArray, bytes: [UInt8])] = [
        ("array.uint8", MetadataArray([0, 255] as [UInt8]), [0, 255]),
        ("array.int8", MetadataArray([-1, 127] as [Int8]), [255, 127]),
        ("array.uint16", MetadataArray([1, 0x0203] as [UInt16]), [1, 0, 3, 2]),
        ("array.int16", MetadataArray([-1, 1] as [Int16]), [255, 255, 1, 0]),
        ("array.uint32", MetadataArray([7] as [UInt32]), [7, 0, 0, 0]),
        ("array.int32", MetadataArray([-1] as [Int32]), [255, 255, 255, 255]),
        ("array.float32", MetadataArray([1.5, -2] as [Float]), [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]),
        ("array.bool", MetadataArray([true, false]), [1, 0]),
        ("array.string", MetadataArray(["a", "", "née"]), .string("a") + .string("") + .string("née")),
        ("array.uint64", MetadataArray([9] as [UInt64]), [9, 0, 0, 0, 0, 0, 0, 0]),
        ("array.int64", MetadataArray([-1] as [Int64]), [UInt8](repeating: 255, count: 8)),
        ("array.float64", MetadataArray([-2] as [Double]), [0, 0, 0, 0, 0, 0, 0, 0xc0]),
        ("array.empty", MetadataArray([] as [Int32]), []),
    ]

    /// Three tensors whose sizes are not multiples of the alignment.
    static let tensors: [(name: String, type: TensorType, shape: [Int], data: [UInt8])] = [
        ("token_embd.weight", .q8_0, [32, 2], (0..<68).map { UInt8($0) }),
        ("output_norm.weight", .f32, [3], (0..<12).map { UInt8($0 + 100) }),
        ("blk.0.ffn_gate_exps.weight", .f16, [2, 1, 3, 1], (0..<12).map { UInt8($0 + 200) }),
    ]

    /// The file as bytes.
    static var raw: RawGGUF {
        var file = RawGGUF()
        file.entries = scalars.map { RawGGUF.entry($0.key, type: $0.value.type.rawValue, $0.bytes) }
        file.entries += arrays.map {
            RawGGUF.array($0.key, of: $0.value.elementType.rawValue, count: UInt64($0.value.count), $0.bytes)
        }
        for tensor in tensors {
            file.tensors.append(
                RawGGUF.tensor(
                    tensor.name, shape: tensor.shape.map { UInt64($0) }, type: tensor.type.rawValue,
                    offset: UInt64(file.data.count)))
            file.data += tensor.data
            while !file.data.count.isMultiple(of: 32) { file.data.append(0) }
        }
        return file
    }

    /// The same file as input for the writer.
    static func writer() throws -> GGUFWriter {
        var writer = GGUFWriter()
        for scalar in scalars { writer.metadata[scalar.key] = scalar.value }
        for array in arrays { writer.metadata[array.key] = .array(array.value) }
        for tensor in tensors {
            try writer.addTensor(tensor.name, type: tensor.type, shape: tensor.shape, elements: tensor.data)
        }
        return writer
    }
}
