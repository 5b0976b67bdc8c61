// What becomes of each tensor of a model that is quantised.

import InferGGUF
import InferTensors

/// The types of the tensors of a quantised file.
struct QuantizationPlan {
    /// A tensor and the type it gets, its own when it stays as it is.
    struct Entry { let tensor: TensorInfo, type: TensorType }

    /// The tensors in the order of the file.
    let entries: [Entry]
    /// What a person should know of: types that were replaced, values that were quantised before.
    let notes: [String]

    /// A plan to bring the weight matrices of `file` to `type`; all of them with `pure`, and otherwise the output
    /// matrix, or the embedding that serves as one, to a better type.
    init(_ file: GGUFFile, type: TensorType, pure: Bool) {
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

    /// Entries whose bytes change.
    var converted: [Entry] { entries.filter { $0.type != $0.tensor.type } }

    /// Bytes of all tensors, padding left out.
    var byteCount: Int {
        entries.reduce(0) { $0 + $1.tensor.elementCount / $1.type.blockSize * $1.type.blockBytes }
    }

    /// Whether a tensor is a matrix of weights that a product takes. Vectors are not, norms and biases among them; nor
    /// are matrices so small and decisive that every engine keeps them: expert routers, positions, token types,
    /// convolutions.
    private static func isMatrix(_ tensor: TensorInfo) -> Bool {
        let kept = [
            "_norm.weight", "ffn_gate_inp", "position_embd.weight", "token_types.weight", "conv1d", "conv.weight",
        ]
        return tensor.rows > 1 && tensor.name.hasSuffix(".weight") && !kept.contains { tensor.name.contains($0) }
    }

    private static func tensors(_ count: Int) -> String { count == 1 ? "1 tensor" : "\(count) tensors" }
}
