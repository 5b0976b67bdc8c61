// An entry of a GGUF file's tensor directory.

/// Name, type, shape and place of one tensor.
public struct TensorInfo: Sendable {
    /// The tensor's name, such as `blk.0.attn_q.weight`.
    public let name: String
    /// How its elements are stored.
    public let type: TensorType
    /// Extents, fastest-varying first, as in the file: `[columns, rows, …]`. One to four; one of 0 leaves a
    /// tensor without elements, which a file may hold but no model can use.
    public let shape: [Int]
    /// Size in bytes.
    public let byteCount: Int
    /// Which file of a split model holds the data.
    let part: Int
    /// Offset of the data from the start of that file.
    let offset: Int
    /// Where the tensor's directory entry stands in that file, for messages.
    package let entryOffset: Int

    /// Elements of one row: the extent along which blocks run.
    public var columns: Int { shape[0] }
    /// Number of rows, over all further dimensions.
    public var rows: Int { shape.dropFirst().reduce(1, *) }
    /// Number of elements.
    public var elementCount: Int { columns * rows }
    /// Bytes of one row.
    public var rowBytes: Int { columns / type.blockSize * type.blockBytes }
}
