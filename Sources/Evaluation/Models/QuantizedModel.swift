// A model file with its weight matrices in another type.

package import InferGGUF
package import InferSupport
package import InferTensors

/// The types of the tensors of a quantised file.
package struct QuantizationPlan: Sendable {
    /// A tensor and its new type, which is its own type if the tensor stays as it is.
    package struct Entry: Sendable { package let tensor: TensorInfo, type: TensorType }

    /// The tensors in the order of the file.
    package let entries: [Entry]
    /// Notes for people: types that were replaced, and tensors that were quantised before.
    package let notes: [String]

    /// Plans to convert the weight matrices of `file` to `type`.
    ///
    /// - Parameter pure: Whether the output matrix, or the embedding matrix that serves as one, gets this type too. If not,
    ///   it gets ``TensorType/outputMatrixType``.
    package init(_ file: GGUFFile, type: TensorType, pure: Bool) {
        let outputName = ["output.weight", "token_embd.weight"].first { file.tensor($0) != nil }
        var replaced: [String: Int] = [:]
        var quantizedBefore = 0
        entries = file.tensors.map { tensor in
            guard Self.isMatrix(tensor) else { return Entry(tensor: tensor, type: tensor.type) }
            let wanted = !pure && tensor.name == outputName ? type.outputMatrixType : type
            let fitting = wanted.fitting(columns: tensor.columns)
            if fitting != wanted {
                replaced["rows of \(tensor.columns) do not fill blocks of \(wanted): \(fitting) instead", default: 0] +=
                    1
            }
            if tensor.type != fitting, tensor.type.blockSize > 1 { quantizedBefore += 1 }
            return Entry(tensor: tensor, type: fitting)
        }
        var notes = replaced.sorted { $0.key < $1.key }.map { "\(Self.tensors($0.value)): \($0.key)" }
        if quantizedBefore > 0 {
            notes.append(
                "\(Self.tensors(quantizedBefore)): quantised before, so errors add up; an f16 file would give better ones"
            )
        }
        self.notes = notes
    }

    /// Entries whose type changes.
    package var converted: [Entry] { entries.filter { $0.type != $0.tensor.type } }

    /// Bytes of all tensors without padding.
    package var byteCount: Int {
        entries.reduce(0) { $0 + $1.tensor.elementCount / $1.type.blockSize * $1.type.blockBytes }
    }

    /// Whether a tensor is a weight matrix of a product. Vectors such as norms and biases are not. Small matrices that need
    /// precision, and that other engines also keep, are not: expert routers, positions, token types, convolutions.
    private static func isMatrix(_ tensor: TensorInfo) -> Bool {
        let kept = [
            "_norm.weight", "ffn_gate_inp", "position_embd.weight", "token_types.weight", "conv1d", "conv.weight",
        ]
        return tensor.rows > 1 && tensor.name.hasSuffix(".weight") && !kept.contains { tensor.name.contains($0) }
    }

    private static func tensors(_ count: Int) -> String { count == 1 ? "1 tensor" : "\(count) tensors" }
}

/// A model after quantising.
package struct QuantizedModel {
    private let file: GGUFFile
    private let plan: QuantizationPlan
    private let type: TensorType

    /// The version of the block formats, which readers expect in `general.quantization_version`.
    private static let quantizationVersion: UInt32 = 2

    /// The model in `file` with the types of `plan`.
    ///
    /// - Parameter type: The type of most matrices, for the metadata.
    package init(_ file: GGUFFile, _ plan: QuantizationPlan, type: TensorType) {
        self.file = file
        self.plan = plan
        self.type = type
    }

    /// A writer of the file. Writing throws ``InferenceError`` with `cancelled` soon after the surrounding Swift task is
    /// cancelled.
    ///
    /// - Parameter progress: Called repeatedly with the fraction done and the name of the tensor.
    package func writer(
        _ converter: TensorConverter, progress: @escaping (Double, String) -> Void
    ) throws(InferenceError) -> GGUFWriter {
        var writer = GGUFWriter(metadata: metadata)
        let total = plan.converted.reduce(0) { $0 + $1.tensor.elementCount }
        var before = 0
        for entry in plan.entries {
            let (file, tensor, done) = (file, entry.tensor, before)
            guard entry.type != tensor.type, let quantizer = Quantizer(entry.type) else {
                try writer.addTensor(tensor, of: file)
                continue
            }
            before += tensor.elementCount
            try writer.addTensor(tensor.name, type: entry.type, shape: tensor.shape) { sink throws(InferenceError) in
                try converter.convert(tensor, of: file, with: quantizer, to: &sink) { count throws(InferenceError) in
                    if Task.isCancelled { throw InferenceError(.cancelled, "quantising was cancelled") }
                    progress(Double(done + count) / Double(total), tensor.name.printable)
                }
            }
        }
        return writer
    }

    /// The model's metadata with the new type and without the keys of a split file.
    private var metadata: Metadata {
        var metadata = file.metadata
        for key in metadata.keys where key.hasPrefix("split.") { metadata[key] = nil }
        metadata["general.file_type"] = type.fileType.map { .uint32($0) }
        metadata["general.quantization_version"] = .uint32(Self.quantizationVersion)
        return metadata
    }
}

extension TensorType {
    /// The type of the output matrix in a file whose other matrices have this type. It has six bits or more: this matrix
    /// affects the results most.
    var outputMatrixType: TensorType {
        let best = TensorType.q6_K
        return blockBytes * best.blockSize > best.blockBytes * blockSize ? self : best
    }

    /// A text that names a type to use instead of `name` if `name` is one of llama.cpp's mixtures of types, such as Q4_K_M;
    /// nil for other names.
    package static func substitute(forMixture name: String) -> String? {
        let parts = name.lowercased().split(separator: "_")
        guard parts.count >= 3, parts[1] == "k", ["s", "m", "l", "xl"].contains(parts[2]) else { return nil }
        let base = parts[...1].joined(separator: "_")
        return "there are no mixtures of types here; \(base) is the type most matrices of \(name) have"
    }

    /// This type if rows of `columns` fill its blocks. If not, a type with shorter blocks and at least as many bits; if
    /// these do not fit either, f16.
    func fitting(columns: Int) -> TensorType {
        if columns.isMultiple(of: blockSize) { return self }
        guard let type = TensorFormat(self)?.shorterType, columns.isMultiple(of: type.blockSize) else { return .f16 }
        return type
    }

    /// The value of `general.file_type` for a file whose matrices have this type (`llama_ftype`); nil for types that have no
    /// such number.
    var fileType: UInt32? { TensorFormat(self)?.fileType }
}
