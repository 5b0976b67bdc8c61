// Loading weights from a model file into the device's memory.

import CInferVulkanKernels
package import InferGGUF
package import InferSupport
package import InferTensors
import Synchronization

extension VulkanBackend {
    /// Bytes of weights that the host hands over at once.
    private static let slabBytes = 2 << 20

    package func supports(_ type: TensorType) -> Bool { TensorFormat(type) != nil }

    package func makeMatrix(
        _ tensor: TensorInfo, rows: Range<Int>, of file: GGUFFile
    ) throws(InferenceError) -> WeightMatrix {
        guard (1...3).contains(tensor.shape.count) else {
            throw InferenceError(
                .malformedModel, "tensor \(tensor.name) has \(tensor.shape.count) dimensions; a matrix has up to three")
        }
        // A single row may be stored as a vector.
        let matrixRows = tensor.shape.count > 1 ? tensor.shape[1] : 1
        guard rows.lowerBound >= 0, rows.upperBound <= matrixRows else {
            throw InferenceError(
                .malformedModel, "tensor \(tensor.name) has \(matrixRows) rows, rows \(rows) are needed")
        }
        return VulkanWeightMatrix(
            try planes(of: tensor, rows: rows, in: file), type: tensor.type, columns: tensor.columns, rows: rows.count,
            experts: tensor.rows / matrixRows)
    }

    package func makeMatrix(
        _ values: [Float], columns: Int, rows: Int, experts: Int
    ) throws(InferenceError) -> WeightMatrix {
        let pieces = (columns + 7) / 8, count = rows * experts
        var padded = values
        if 8 * pieces != columns {
            padded = [Float](repeating: 0, count: 8 * pieces * count)
            for row in 0..<count {
                for column in 0..<columns { padded[8 * pieces * row + column] = values[columns * row + column] }
            }
        }
        let (buffer, offset) = try place(4 * padded.count, for: "\(values.count) values")
        try padded.withBytes { bytes throws(InferenceError) in try upload(bytes, to: buffer, at: offset) }
        let planes = WeightPlanes(
            buffer, at: PlaneOffsets(byteCount: 4 * padded.count, from: offset), pieces: pieces, .floats(.f32))
        return VulkanWeightMatrix(planes, type: .f32, columns: columns, rows: rows, experts: experts)
    }

    package func makeTable(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> EmbeddingTable {
        let rows = tensor.shape.count > 1 ? tensor.shape[1] : 1
        return VulkanEmbeddingTable(
            try planes(of: tensor, rows: 0..<rows, in: file), columns: tensor.columns, rows: tensor.rows)
    }

    package func makeVector(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> WeightVector {
        guard let format = TensorFormat(tensor.type) else { throw Self.unsupported(tensor) }
        var values = [Float](repeating: 0, count: tensor.elementCount)
        let source = file.bytes(of: tensor)
        values.withUnsafeMutableBufferPointer { values in
            guard let values = values.baseAddress, let source = source.baseAddress else { return }
            format.dequantize(tensor.elementCount, source, into: values)
        }
        return try makeVector(values, for: "tensor \(tensor.name)")
    }

    package func makeVector(_ values: [Float]) throws(InferenceError) -> WeightVector {
        try makeVector(values, for: "\(values.count) values")
    }

    private func makeVector(_ values: [Float], for purpose: String) throws(InferenceError) -> WeightVector {
        let (buffer, offset) = try place(4 * values.count, for: purpose)
        try values.withBytes { bytes throws(InferenceError) in try upload(bytes, to: buffer, at: offset) }
        return VulkanWeightVector(buffer, at: offset, count: values.count)
    }

    static func unsupported(_ tensor: TensorInfo) -> InferenceError {
        InferenceError(
            .unsupportedTensorType,
            "tensor \(tensor.name) has type \(tensor.type); supported are "
                + TensorFormat.supportedTypes.map(\.description).joined(separator: ", "))
    }

    private func place(
        _ byteCount: Int, for purpose: String
    ) throws(InferenceError) -> (buffer: DeviceBuffer, offset: Int) {
        var result: Result<(buffer: DeviceBuffer, offset: Int), InferenceError>?
        weightArena.withLock { arena in
            result = Result { () throws(InferenceError) in
                try arena.allocate(byteCount, on: queue, for: purpose)
            }
        }
        return try required(result, "place a tensor").get()
    }

    /// Copies `bytes` to the device in slabs.
    private func upload(
        _ bytes: UnsafeRawBufferPointer, to buffer: DeviceBuffer, at offset: Int
    ) throws(InferenceError) {
        for start in stride(from: 0, to: bytes.count, by: Self.slabBytes) {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.slabBytes, bytes.count)])
            perform { () throws(InferenceError) in
                let place = try queue.upload(piece)
                copyUpload([(place.offset, offset + start, piece.count)], to: buffer)
            }
        }
    }

    /// Copies pieces of what was uploaded in this operation: offsets in the upload and in `buffer`, and sizes.
    private func copyUpload(_ pieces: [(from: Int, to: Int, count: Int)], to buffer: DeviceBuffer) {
        let copies = pieces.filter { $0.count > 0 }.map {
            VkBufferCopy(srcOffset: UInt64($0.from), dstOffset: UInt64($0.to), size: UInt64($0.count))
        }
        // Not tracked: nothing else writes this memory, and commands that read it also read activations that were written
        // after it, so that a barrier precedes them.
        queue.copyUpload(copies, to: buffer.memory, writes: nil)
    }

    /// The planes of rows `rows` of each matrix in `tensor`, loaded if they are not on the device yet.
    private func planes(
        of tensor: TensorInfo, rows: Range<Int>, in file: GGUFFile
    ) throws(InferenceError) -> WeightPlanes {
        let key = WeightTables.Key(file: ObjectIdentifier(file), tensor: tensor.name, rows: rows)
        if let planes = tables.withLock({ $0[key, of: file] }) { return planes }
        let made =
            if let layout = PlaneLayout(tensor.type) {
                try quantizedPlanes(of: tensor, layout, rows: rows, in: file)
            } else {
                try floatPlanes(of: tensor, rows: rows, in: file)
            }
        // A device that failed or is out of memory is reported now, not at the first step.
        try queue.finish { () in false }
        file.discard(tensor)
        tables.withLock { $0[key, of: file] = made }
        return made
    }

    /// The byte offset in the tensor of row `number` of the rows to load, counted over all matrices.
    private static func offset(of number: Int, of tensor: TensorInfo, rows: Range<Int>) -> Int {
        let height = tensor.shape.count > 1 ? tensor.shape[1] : 1
        let (matrix, row) = number.quotientAndRemainder(dividingBy: max(1, rows.count))
        return (matrix * height + rows.lowerBound + row) * tensor.rowBytes
    }

    private func start(of tensor: TensorInfo, in file: GGUFFile) throws(InferenceError) -> UnsafeRawPointer {
        guard let base = file.bytes(of: tensor).baseAddress else {
            throw InferenceError(.malformedModel, "tensor \(tensor.name) is empty")
        }
        return base
    }

    private func rowCount(of tensor: TensorInfo, rows: Range<Int>) -> Int {
        tensor.rows / (tensor.shape.count > 1 ? tensor.shape[1] : 1) * rows.count
    }

    private func quantizedPlanes(
        of tensor: TensorInfo, _ layout: PlaneLayout, rows: Range<Int>, in file: GGUFFile
    ) throws(InferenceError) -> WeightPlanes {
        let packers = try loadingPool.packers(of: tensor)
        let pieces = tensor.columns / 32, count = rowCount(of: tensor, rows: rows)
        let size = PlaneOffsets(layout, groups: pieces * count).byteCount
        let (buffer, start) = try place(size, for: "tensor \(tensor.name)")
        let offsets = PlaneOffsets(layout, groups: pieces * count, from: start)
        let base = try self.start(of: tensor, in: file), slab = max(1, Self.slabBytes / tensor.rowBytes)
        for first in stride(from: 0, to: count, by: slab) {
            let some = min(slab, count - first)
            // The slab has planes of its own, in the same order.
            let local = PlaneOffsets(layout, groups: pieces * some)
            perform { () throws(InferenceError) in
                let (memory, offset) = try queue.reserveUpload(local.byteCount)
                packers.forEach(some) { packer, row in
                    packer.pack(
                        base + Self.offset(of: first + row, of: tensor, rows: rows), as: row,
                        into: .init(
                            low: memory + local.low, high: memory + local.high, scales: memory + local.scales,
                            factors: memory + local.factors))
                }
                let group = first * pieces
                let copies = [
                    (local.low, offsets.low + group * layout.lowBytes, pieces * some * layout.lowBytes),
                    (local.high, offsets.high + group * layout.highBytes, pieces * some * layout.highBytes),
                    (local.scales, offsets.scales + group * layout.scaleBytes, pieces * some * layout.scaleBytes),
                    (
                        local.factors, offsets.factors + group / layout.factorGroups * layout.factorBytes,
                        pieces * some / layout.factorGroups * layout.factorBytes
                    ),
                ]
                copyUpload(copies.map { ($0 + offset, $1, $2) }, to: buffer)
            }
        }
        return WeightPlanes(buffer, at: offsets, pieces: pieces, .quantized(layout))
    }

    private func floatPlanes(
        of tensor: TensorInfo, rows: Range<Int>, in file: GGUFFile
    ) throws(InferenceError) -> WeightPlanes {
        let element: DeviceWeights.FloatElement
        switch tensor.type {
        case .f32: element = .f32
        case .f16: element = .f16
        case .bf16: element = .bf16
        default: throw Self.unsupported(tensor)
        }
        let elementBytes = element == .f32 ? 4 : 2
        let pieces = (tensor.columns + 7) / 8, count = rowCount(of: tensor, rows: rows)
        let rowBytes = 8 * pieces * elementBytes
        let (buffer, start) = try place(count * rowBytes, for: "tensor \(tensor.name)")
        let base = try self.start(of: tensor, in: file), slab = max(1, Self.slabBytes / rowBytes)
        for first in stride(from: 0, to: count, by: slab) {
            let some = min(slab, count - first)
            perform { () throws(InferenceError) in
                let (memory, offset) = try queue.reserveUpload(some * rowBytes)
                for row in 0..<some {
                    let target = memory + row * rowBytes
                    target.copyMemory(
                        from: base + Self.offset(of: first + row, of: tensor, rows: rows), byteCount: tensor.rowBytes)
                    (target + tensor.rowBytes).initializeMemory(
                        as: UInt8.self, repeating: 0, count: rowBytes - tensor.rowBytes)
                }
                copyUpload([(offset, start + first * rowBytes, some * rowBytes)], to: buffer)
            }
        }
        return WeightPlanes(
            buffer, at: PlaneOffsets(byteCount: count * rowBytes, from: start), pieces: pieces,
            .floats(element))
    }
}
