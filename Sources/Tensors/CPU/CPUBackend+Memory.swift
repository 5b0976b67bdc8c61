// Making the CPU backend's operands, and moving data in and out of them.

package import InferGGUF
package import InferSupport
import Synchronization

extension CPUBackend {
    package func supports(_ type: TensorType) -> Bool { TensorFormat(type) != nil }

    func format(of tensor: TensorInfo) throws(InferenceError) -> TensorFormat {
        guard let format = TensorFormat(tensor.type) else {
            throw InferenceError(
                .unsupportedTensorType,
                "tensor \(tensor.name) has type \(tensor.type); supported are "
                    + TensorFormat.supportedTypes.map(\.description).joined(separator: ", "))
        }
        return format
    }

    func start(of tensor: TensorInfo, in file: GGUFFile) throws(InferenceError) -> UnsafeRawPointer {
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
        return CPUWeightVector(memory, count: tensor.elementCount)
    }

    package func makeTable(_ tensor: TensorInfo, of file: GGUFFile) throws(InferenceError) -> EmbeddingTable {
        CPUEmbeddingTable(tensor, try format(of: tensor), at: try start(of: tensor, in: file), of: file)
    }

    package func makeActivations(rows: Int, columns: Int) throws(InferenceError) -> Activations {
        let memory = try AlignedMemory(bytes: rows, columns, 4, for: "\(rows) × \(columns) activations")
        try reserve { scratch throws(InferenceError) in try scratch.reserveInputs(rows: rows, columns: columns) }
        return CPUActivations(memory, rows: rows, columns: columns)
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
