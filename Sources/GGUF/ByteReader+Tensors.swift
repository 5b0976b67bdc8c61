// Parsing the tensor directory of a GGUF file.

import InferSupport

extension ByteReader {
    /// A directory entry as the file has it.
    struct TensorEntry {
        let name: String, type: TensorType, shape: [Int], byteCount: Int
        /// Where the data begins, counted from the start of the data section.
        let dataOffset: UInt64
        /// Where the entry itself stands in the file.
        let position: Int
    }

    /// Longer names than the 64 bytes the format asks for exist; this bounds what a hostile file can make us keep.
    private static let maximumNameLength = 1024

    /// Reads the directory entry of the tensor numbered `index`.
    mutating func readTensor(_ index: Int) throws(InferenceError) -> TensorEntry {
        let position = offset
        let nameRange = try readString("the name of tensor \(index)")
        guard !nameRange.isEmpty, nameRange.count <= Self.maximumNameLength else {
            throw malformed("tensor \(index) has a name of \(nameRange.count) bytes", at: position)
        }
        let name = text(nameRange)
        let shapePosition = offset
        let dimensions = try read(UInt32.self, "the dimension count of tensor \(name.printable)")
        guard (1...4).contains(dimensions) else {
            throw malformed("tensor \(name.printable) has \(dimensions) dimensions", at: shapePosition)
        }
        var shape: [Int] = []
        for _ in 0..<dimensions {
            let extent = try read(UInt64.self, "the shape of tensor \(name.printable)")
            guard let extent = Int(exactly: extent) else {
                throw malformed("tensor \(name.printable) has a dimension of \(extent)", at: shapePosition)
            }
            shape.append(extent)
        }
        let type = TensorType(rawValue: try read(UInt32.self, "the type of tensor \(name.printable)"))
        let byteCount: Int
        do {
            byteCount = try type.byteCount(ofShape: shape)
        } catch {
            throw malformed("tensor \(name.printable) \(error.reason)", at: shapePosition)
        }
        let dataOffset = try read(UInt64.self, "the offset of tensor \(name.printable)")
        return TensorEntry(
            name: name, type: type, shape: shape, byteCount: byteCount, dataOffset: dataOffset, position: position)
    }
}
