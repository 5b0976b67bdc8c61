// The CPU backend's memory: loading weights, making other operands, and moving data in and out of them.

package import InferGGUF
package import InferSupport
import Synchronization

// MARK: Weights

extension CPUBackend {
    /// The bytes of all weights that were loaded, without what stays in the mapped file.
    package var weightByteCount: Int { weightArena.withLock { $0.byteCount } }

    package func supports(_ type: TensorType) -> Bool { TensorFormat(type) != nil }

    /// The format of a tensor's type.
    ///
    /// - Throws: ``InferenceError`` with `unsupportedTensorType`.
    private func format(of tensor: TensorInfo) throws(InferenceError) -> TensorFormat {
        guard let format = TensorFormat(tensor.type) else {
            throw InferenceError(
                .unsupportedTensorType,
                "tensor \(tensor.name) has type \(tensor.type); supported are "
                    + TensorFormat.supportedTypes.map(\.description).joined(separator: ", "))
        }
        return format
    }

    /// The address of a tensor in the mapped file.
    ///
    /// - Throws: ``InferenceError`` with `malformedModel` for an empty tensor.
    private func start(of tensor: TensorInfo, in file: GGUFFile) throws(InferenceError) -> UnsafeRawPointer {
        guard let start = file.bytes(of: tensor).baseAddress else {
            throw InferenceError(.malformedModel, "tensor \(tensor.name) is empty")
        }
        return start
    }

    package func makeVector(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> WeightVector {
        let format = try format(of: tensor)
        let start = try start(of: tensor, in: file)
        let memory = try AlignedMemory(bytes: tensor.elementCount, 4, for: "tensor \(tensor.name)")
        format.dequantize(tensor.elementCount, start, into: memory.floats)
        weightArena.withLock { $0.count(memory) }
        return CPUWeightVector(memory, count: tensor.elementCount)
    }

    package func makeVector(_ values: [Float]) throws(InferenceError) -> WeightVector {
        let memory = try AlignedMemory(bytes: values.count, 4, for: "\(values.count) values")
        for (index, value) in values.enumerated() { memory.floats[index] = value }
        weightArena.withLock { $0.count(memory) }
        return CPUWeightVector(memory, count: values.count)
    }

    package func makeTable(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> EmbeddingTable {
        CPUEmbeddingTable(tensor, try format(of: tensor), at: try start(of: tensor, in: file), of: file)
    }

    /// Bytes of the file that are packed before the system may reclaim their memory.
    private static let slabBytes = 8 << 20

    package func makeMatrix(
        _ tensor: TensorInfo, rows: Range<Int>, of file: GGUFFile
    ) throws(InferenceError) -> WeightMatrix {
        let format = try format(of: tensor)
        guard let kernel = kernels.weights(tensor.type) else {
            throw InferenceError(.unsupportedTensorType, "no product kernel for type \(tensor.type) of \(tensor.name)")
        }
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
        let rowBytes = tensor.columns / format.blockSize * format.blockBytes
        let source = try start(of: tensor, in: file) + rows.lowerBound * rowBytes
        let sourceExpertBytes = rowBytes * matrixRows
        let experts = tensor.rows / matrixRows
        guard kernel.isPacked else {
            return CPUWeightMatrix(
                tensor.type, columns: tensor.columns, rows: rows.count, experts: experts, kernel: kernel,
                at: source, panelBytes: rowBytes, expertBytes: sourceExpertBytes, owner: file)
        }
        return try pack(
            source, rowBytes: rowBytes, expertBytes: sourceExpertBytes, tensor.type, kernel,
            columns: tensor.columns, rows: rows.count, experts: experts, for: "tensor \(tensor.name)"
        ) { file.discard(tensor) }
    }

    package func makeMatrix(
        _ values: [Float], columns: Int, rows: Int, experts: Int
    ) throws(InferenceError) -> WeightMatrix {
        guard let kernel = kernels.weights(.f32) else {
            throw InferenceError(.unsupportedTensorType, "no product kernel for type F32")
        }
        let copy = try AlignedMemory(bytes: values.count, 4, for: "\(values.count) values")
        for (index, value) in values.enumerated() { copy.floats[index] = value }
        guard kernel.isPacked else {
            return CPUWeightMatrix(
                .f32, columns: columns, rows: rows, experts: experts, kernel: kernel,
                at: copy.base, panelBytes: 4 * columns, expertBytes: 4 * columns * rows, owner: copy)
        }
        return try pack(
            copy.base, rowBytes: 4 * columns, expertBytes: 4 * columns * rows, .f32, kernel,
            columns: columns, rows: rows, experts: experts, for: "\(values.count) values"
        ) {}
    }

    /// Packs rows of `rowBytes` bytes into panels. `slabDone` is called whenever a part of the source has been read.
    private func pack(
        _ source: UnsafeRawPointer, rowBytes: Int, expertBytes: Int, _ type: TensorType, _ kernel: WeightKernel,
        columns: Int, rows: Int, experts: Int, for purpose: String, slabDone: () -> Void
    ) throws(InferenceError) -> CPUWeightMatrix {
        let panels = kernel.panels(rows)
        let panelBytes = kernel.panelBytes(columns)
        let (byteCount, overflow) = (panels * panelBytes).multipliedReportingOverflow(by: experts)
        guard !overflow else {
            throw InferenceError(.outOfMemory, "\(purpose) would need more memory than can be addressed")
        }
        let (base, owner) = try weightArena.withLock { arena throws(InferenceError) in
            try arena.allocate(byteCount, for: purpose)
        }
        // Pack one slab at a time: source and copy are in memory together only for a slab.
        let slab = max(1, Self.slabBytes / max(1, rowBytes * kernel.panelRows))
        for start in stride(from: 0, to: panels * experts, by: slab) {
            pool.run(min(slab, panels * experts - start)) { offset, _ in
                let (expert, panel) = (start + offset).quotientAndRemainder(dividingBy: panels)
                kernel.packPanel(
                    panel, of: rows, k: columns, source + expert * expertBytes, stride: rowBytes,
                    into: base + expert * panels * panelBytes)
            }
            slabDone()
        }
        return CPUWeightMatrix(
            type, columns: columns, rows: rows, experts: experts, kernel: kernel, at: base,
            panelBytes: panelBytes, expertBytes: panels * panelBytes, owner: owner)
    }
}

// MARK: Other operands

extension CPUBackend {
    package func makeActivations(rows: Int, columns: Int) throws(InferenceError) -> Activations {
        let memory = try AlignedMemory(bytes: rows, columns, 4, for: "\(rows) × \(columns) activations")
        try reserve { scratch throws(InferenceError) in try scratch.reserveInputs(rows: rows, columns: columns) }
        return CPUActivations(memory, rows: rows, columns: columns)
    }

    package func makeView(of x: Activations, columns: Int) -> Activations {
        unsafeDowncast(x, to: CPUActivations.self).view(columns: columns)
    }

    package func makeRecurrentMemory(_ shape: RecurrentShape) throws(InferenceError) -> any RecurrentMemory {
        try CPURecurrentMemory(shape, on: self)
    }

    package func makeCache(_ shape: KVCacheShape) throws(InferenceError) -> KVCache {
        let cache = try CPUKeyValueCache(shape)
        let items = Self.itemsPerThread * threads
        try reserve { scratch throws(InferenceError) in try scratch.reserveAttention(shape, items: items) }
        return cache
    }

    package func makeRouting(rows: Int, expertsUsed: Int) throws(InferenceError) -> ExpertRouting {
        try CPUExpertRouting(capacity: rows, expertsUsed: expertsUsed)
    }

    private func reserve(
        _ body: (inout CPUScratch) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        try scratch.withLock { scratch throws(InferenceError) in try body(&scratch) }
    }

    package func write(_ values: [Float], to x: Activations) {
        values.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            x.row(0).update(from: start, count: source.count)
        }
    }

    package func finish(reading results: [Activations], rows: Int) {}

    package func read<R>(_ x: Activations, rows: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        body(UnsafeBufferPointer(start: x.row(0), count: rows * x.columns))
    }

    package func gather(_ x: Activations, rows indices: [Int], into y: Activations) {
        for (row, index) in indices.enumerated() { y.row(row).update(from: x.row(index), count: x.columns) }
    }
}

/// Working memory for one operation at a time: quantised inputs, and attention items. It grows when operands are made,
/// so that operations do not allocate.
struct CPUScratch {
    /// The activations of a step, quantised for products.
    private(set) var inputs: AlignedMemory
    /// The memory of each attention item that can be in progress at the same time.
    private(set) var attention: [AlignedMemory] = []

    /// Minimal memory, which grows later.
    init() throws(InferenceError) { inputs = try AlignedMemory(bytes: 1, for: "working memory") }

    /// Makes room for quantised activations of `rows` × `columns` values.
    mutating func reserveInputs(rows: Int, columns: Int) throws(InferenceError) {
        let rowBytes = max(InputFormat.blocks32.rowBytes(columns), InputFormat.blocks256.rowBytes(columns))
        let (size, overflow) = rows.multipliedReportingOverflow(by: rowBytes)
        guard overflow || size > inputs.byteCount else { return }
        inputs = try AlignedMemory(bytes: rows, rowBytes, for: "\(rows) rows of quantised activations")
    }

    /// Makes room for `items` simultaneous attention items over a cache of that shape.
    mutating func reserveAttention(_ shape: KVCacheShape, items: Int) throws(InferenceError) {
        let layout = AttentionScratch.Layout(shape)
        if attention.count == items, attention.allSatisfy({ $0.byteCount >= layout.byteCount }) { return }
        var memory: [AlignedMemory] = []
        for _ in 0..<items {
            memory.append(try AlignedMemory(bytes: layout.byteCount, for: "the scores of \(shape.slots) tokens"))
        }
        attention = memory
    }
}
