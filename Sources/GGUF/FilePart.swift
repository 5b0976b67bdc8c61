// Parsing one GGUF file: header, metadata, tensor directory.

import InferSupport

/// What one GGUF file holds, read and checked.
struct FilePart {
    let file: MappedFile
    let version: Int
    let metadata: Metadata
    let tensors: [TensorInfo]

    /// Alignment of the data section and of every tensor in it, where `general.alignment` does not say otherwise.
    static let defaultAlignment = 32
    /// The alignments that are accepted: powers of two in this range. Real files use 32; the format asks for multiples of
    /// 8.
    private static let alignments = 8...(1 << 16)

    /// Reads the file that is number `part`, from 0, of its model.
    init(_ file: MappedFile, part: Int) throws(InferenceError) {
        self.file = file
        var reader = ByteReader(file)
        guard file.bytes.count >= 4, try reader.read(UInt32.self, "the magic number") == 0x4655_4747 else {  // "GGUF"
            throw InferenceError(
                .malformedModel, "\(file.path) is not a GGUF file: it does not begin with \"GGUF\" (at byte 0)")
        }
        let version = try reader.read(UInt32.self, "the format version")
        guard version == 2 || version == 3 else {
            let isBigEndian = version.byteSwapped == 2 || version.byteSwapped == 3
            throw InferenceError(
                .unsupportedModel,
                "\(file.path): \(isBigEndian ? "big-endian files are" : "GGUF version \(version) is") not supported "
                    + "(at byte 4)")
        }
        self.version = Int(version)
        let tensorCount = try reader.read(UInt64.self, "the tensor count")
        let keyCount = try reader.read(UInt64.self, "the metadata count")
        // No entry is shorter than this, so counts beyond it are lies; the loops below need no other bound.
        guard keyCount <= UInt64(reader.remaining / 14), tensorCount <= UInt64(reader.remaining / 33) else {
            throw reader.malformed(
                "the header claims \(keyCount) metadata entries and \(tensorCount) tensors, more than the file can hold",
                at: 8)
        }
        metadata = try reader.readMetadata(count: Int(keyCount))
        let alignment = try Self.alignment(metadata)
        var entries: [ByteReader.TensorEntry] = []
        for index in 0..<Int(tensorCount) { entries.append(try reader.readTensor(index)) }
        let dataStart = (reader.offset + alignment - 1) / alignment * alignment
        var tensors: [TensorInfo] = []
        tensors.reserveCapacity(entries.count)
        for entry in entries {
            tensors.append(try Self.place(entry, dataStart: dataStart, alignment: alignment, part: part, reader))
        }
        try Self.checkOverlap(tensors, reader)
        self.tensors = tensors
    }

    /// The alignment that `metadata` sets: a power of two.
    static func alignment(_ metadata: Metadata) throws(InferenceError) -> Int {
        let key = "general.alignment"
        guard let value = metadata[key] else { return defaultAlignment }
        guard case .uint32(let alignment) = value, alignment.nonzeroBitCount == 1,
            alignments.contains(Int(alignment))
        else {
            throw metadata.malformed(
                key, "must be a uint32 power of two from \(alignments.lowerBound) to \(alignments.upperBound)")
        }
        return Int(alignment)
    }

    private static func place(
        _ entry: ByteReader.TensorEntry, dataStart: Int, alignment: Int, part: Int, _ reader: ByteReader
    ) throws(InferenceError) -> TensorInfo {
        let name = entry.name.printable
        guard entry.dataOffset % UInt64(alignment) == 0 else {
            throw reader.malformed(
                "tensor \(name) has offset \(entry.dataOffset), no multiple of \(alignment)", at: entry.position)
        }
        let size = reader.file.bytes.count
        guard let relative = Int(exactly: entry.dataOffset), dataStart <= size, relative <= size - dataStart,
            entry.byteCount <= size - dataStart - relative
        else {
            throw reader.malformed(
                "tensor \(name) (offset \(entry.dataOffset), \(entry.byteCount) bytes) lies beyond the end of the file, "
                    + "data starts at \(dataStart) of \(size)", at: entry.position)
        }
        return TensorInfo(
            name: entry.name, type: entry.type, shape: entry.shape, byteCount: entry.byteCount, part: part,
            offset: dataStart + relative, entryOffset: entry.position)
    }

    private static func checkOverlap(_ tensors: [TensorInfo], _ reader: ByteReader) throws(InferenceError) {
        // A tensor without elements shares its offset with the next.
        let sorted = tensors.filter { $0.byteCount > 0 }.sorted { $0.offset < $1.offset }
        for (lower, upper) in zip(sorted, sorted.dropFirst()) where lower.offset + lower.byteCount > upper.offset {
            throw reader.malformed(
                "tensors \(lower.name.printable) and \(upper.name.printable) overlap", at: upper.offset)
        }
    }
}
