// Taking tensors out of a model file, with their shapes checked.

import InferGGUF
package import InferSupport
import InferTensors

/// Is told the share of a file that is loaded, ascending to 1, and can stop the loading by throwing.
package typealias LoadingProgress = (Double) throws(InferenceError) -> Void

/// Hands the tensors of a file to a backend, one after the other, and reports how far it is.
struct WeightLoader {
    let file: GGUFFile
    /// Where the next tensors go.
    var backend: any Backend
    private let progress: LoadingProgress?
    private var loadedBytes = 0
    private var loadedNames: Set<String> = []
    /// The names of each block's tensors that the file has.
    private let blockTensors: [Int: [String]]

    init(_ file: GGUFFile, backend: any Backend, progress: LoadingProgress?) {
        self.file = file
        self.backend = backend
        self.progress = progress
        blockTensors = file.tensors.reduce(into: [:]) { blocks, tensor in
            if let block = tensor.block { blocks[block, default: []].append(tensor.name) }
        }
    }

    func has(_ name: String) -> Bool { file.tensor(name) != nil }

    /// The tensor of that name, if it has the shape the metadata calls for and a type the backend computes with.
    private func require(_ name: String, shape: [Int]) throws(InferenceError) -> TensorInfo {
        guard let tensor = file.tensor(name) else {
            throw InferenceError(.malformedModel, "\(file.path): tensor \(name) is absent")
        }
        // Trailing extents of one may be given or left out.
        func trimmed(_ shape: [Int]) -> [Int] { Array(shape.reversed().drop { $0 == 1 }.reversed()) }
        guard trimmed(tensor.shape) == trimmed(shape) else {
            throw InferenceError(
                .malformedModel,
                "\(file.path): tensor \(tensor.name) has shape \(tensor.shape), the metadata calls for \(shape)")
        }
        guard tensor.elementCount > 0 else {
            throw InferenceError(
                .malformedModel, "\(file.path): tensor \(tensor.name) has no elements: its shape is \(tensor.shape)")
        }
        guard backend.supports(tensor.type) else {
            throw InferenceError(
                .unsupportedTensorType, "\(file.path): tensor \(name) has type \(tensor.type), which is not supported")
        }
        return tensor
    }

    /// Refuses a tensor of block `index` that was not read: it stands for something that this engine does not compute.
    func requireAllRead(ofBlock index: Int, architecture: String) throws(InferenceError) {
        for name in blockTensors[index] ?? [] where !loadedNames.contains(name) && !Self.isRedundant(name) {
            throw InferenceError(
                .unsupportedModel,
                "\(file.path): tensor \(name.printable) is not part of what this engine computes for architecture "
                    + "\(architecture.printable)")
        }
    }

    /// Refuses tensors of blocks that the metadata does not speak of.
    func requireBlocks(below count: Int) throws(InferenceError) {
        let others = blockTensors.keys.filter { !(0..<count).contains($0) }
        guard let index = others.min(), let name = blockTensors[index]?.first else { return }
        throw InferenceError(
            .malformedModel,
            "\(file.path): tensor \(name.printable) belongs to block \(index), but block_count is \(count)")
    }

    /// Whether a tensor says only what the metadata says already: old converters wrote RoPE's frequencies per block.
    private static func isRedundant(_ name: String) -> Bool {
        name.hasSuffix(".attn_rot_embd.weight") || name.hasSuffix(".attn.rotary_emb.inv_freq")
    }

    /// Counts a tensor once, though tied embeddings and fused matrices are loaded more than once.
    private mutating func loaded(_ tensor: TensorInfo) throws(InferenceError) {
        guard loadedNames.insert(tensor.name).inserted else { return }
        loadedBytes += tensor.byteCount
        try progress?(min(1, Double(loadedBytes) / Double(max(1, file.byteCount))))
    }

    /// The matrix `name`.weight (outputs × inputs, or experts of those) with the bias of the same name, if there is one.
    mutating func linear(
        _ name: String, inputs: Int, outputs: Int, experts: Int = 1
    ) throws(InferenceError) -> Linear {
        let weight = try matrix(name + ".weight", [inputs, outputs, experts], rows: 0..<outputs)
        var bias: WeightVector?
        if has(name + ".bias") { bias = try vector(name + ".bias", [outputs, experts]) }
        return Linear(weight: weight, bias: bias)
    }

    /// The matrix `name`.weight with the bias of the tensor `bias`.
    mutating func linear(_ name: String, inputs: Int, outputs: Int, bias: String) throws(InferenceError) -> Linear {
        try linear(name, inputs: inputs, outputs: outputs, bias: vector(bias, [outputs]))
    }

    /// The matrix `name`.weight with that bias.
    mutating func linear(
        _ name: String, inputs: Int, outputs: Int, bias: WeightVector
    ) throws(InferenceError) -> Linear {
        Linear(weight: try matrix(name + ".weight", [inputs, outputs], rows: 0..<outputs), bias: bias)
    }

    /// Several matrices that the file stores as one, below each other, and parts of one bias.
    mutating func fused(
        _ name: String, inputs: Int, outputs: [Int], experts: Int = 1
    ) throws(InferenceError) -> [Linear] {
        let total = outputs.reduce(0, +)
        guard !has(name + ".bias") || experts == 1 else {
            throw InferenceError(
                .unsupportedModel, "\(file.path): tensor \(name).bias on fused matrices is not supported")
        }
        let biases = has(name + ".bias") ? try values(name + ".bias", [total]) : nil
        var first = 0
        var parts: [Linear] = []
        for count in outputs {
            let part = try matrix(name + ".weight", [inputs, total, experts], rows: first..<first + count)
            let bias = try biases.map { values throws(InferenceError) in
                try backend.makeVector(Array(values[first..<first + count]))
            }
            parts.append(Linear(weight: part, bias: bias))
            first += count
        }
        return parts
    }

    private mutating func matrix(
        _ name: String, _ shape: [Int], rows: Range<Int>
    ) throws(InferenceError) -> WeightMatrix {
        let tensor = try require(name, shape: shape)
        let matrix = try backend.makeMatrix(tensor, rows: rows, of: file)
        try loaded(tensor)
        return matrix
    }

    mutating func vector(_ name: String, _ shape: [Int]) throws(InferenceError) -> WeightVector {
        let tensor = try require(name, shape: shape)
        let vector = try backend.makeVector(tensor, of: file)
        try loaded(tensor)
        return vector
    }

    mutating func optionalVector(_ name: String, _ shape: [Int]) throws(InferenceError) -> WeightVector? {
        has(name) ? try vector(name, shape) : nil
    }

    /// A vector of `count` values, however the file divides them into dimensions.
    mutating func vector(_ name: String, count: Int) throws(InferenceError) -> WeightVector {
        guard let tensor = file.tensor(name), tensor.elementCount == count else {
            return try vector(name, [count])
        }
        return try vector(name, tensor.shape)
    }

    mutating func norm(_ name: String, width: Int, _ kind: NormKind) throws(InferenceError) -> Norm {
        let weight = try vector(normWeight(name) ?? name + ".weight", [width])
        return Norm(kind: kind, width: width, weight: weight, bias: try optionalVector(name + ".bias", [width]))
    }

    mutating func optionalNorm(_ name: String, width: Int, _ kind: NormKind) throws(InferenceError) -> Norm? {
        normWeight(name) == nil ? nil : try norm(name, width: width, kind)
    }

    /// The name of a norm's weights; some files leave out the suffix.
    private func normWeight(_ name: String) -> String? { [name + ".weight", name].first(where: has) }

    /// The norm of each head, with the same weights for all or each its own, or of all heads together, as the file has it.
    mutating func headNorm(
        _ name: String, length: Int, heads: Int, _ kind: NormKind
    ) throws(InferenceError) -> Norm? {
        guard let tensor = file.tensor(name + ".weight") else { return nil }
        if tensor.shape.count > 1, tensor.columns == length, tensor.rows == heads {
            return try groupNorm(name, width: length, count: heads, kind)
        }
        return try norm(name, width: tensor.elementCount == length ? length : length * heads, kind)
    }

    /// The norm of each of `count` groups of `width` values, each with its own weights.
    mutating func groupNorm(
        _ name: String, width: Int, count: Int, _ kind: NormKind
    ) throws(InferenceError) -> Norm? {
        guard has(name + ".weight") else { return nil }
        let weight = try vector(name + ".weight", count: width * count)
        return Norm(
            kind: kind, width: width, weight: weight, bias: try optionalVector(name + ".bias", [width * count]))
    }

    /// A norm whose weights are all 1.
    func plainNorm(width: Int, _ kind: NormKind) throws(InferenceError) -> Norm {
        Norm(kind: kind, width: width, weight: try backend.makeVector(Array(repeating: 1, count: width)), bias: nil)
    }

    /// A tensor's values on the host.
    mutating func values(_ name: String, _ shape: [Int]) throws(InferenceError) -> [Float] {
        let tensor = try require(name, shape: shape)
        guard let format = TensorFormat(tensor.type), let start = file.bytes(of: tensor).baseAddress else {
            throw InferenceError(
                .unsupportedTensorType, "\(file.path): tensor \(name) has type \(tensor.type), which is not supported")
        }
        try loaded(tensor)
        return [Float](unsafeUninitializedCapacity: tensor.elementCount) { buffer, count in
            guard let values = buffer.baseAddress else { return }
            format.dequantize(tensor.elementCount, start, into: values)
            count = tensor.elementCount
        }
    }

    /// The weights of a short convolution: `taps` for each of `channels` channels, the current token's last.
    mutating func taps(_ name: String, _ taps: Int, channels: Int) throws(InferenceError) -> [[Float]] {
        let name = name + ".weight"
        let shape = file.tensor(name).flatMap { $0.elementCount == taps * channels ? $0.shape : nil }
        let all = try values(name, shape ?? [taps, channels])
        return (0..<channels).map { Array(all[$0 * taps..<($0 + 1) * taps]) }
    }

    /// Weights of all channels as ``Backend/convolve(_:_:layer:weight:bias:activates:into:)`` takes them: taps × channels.
    func convolution(_ channels: [[Float]]) throws(InferenceError) -> WeightVector {
        let taps = channels.first?.count ?? 0
        return try backend.makeVector((0..<taps).flatMap { tap in channels.map { $0[tap] } })
    }

    /// A table of rows to look up.
    mutating func table(_ name: String, columns: Int, rows: Int) throws(InferenceError) -> EmbeddingTable {
        let tensor = try require(name, shape: [columns, rows])
        let table = try backend.makeTable(tensor, of: file)
        try loaded(tensor)
        return table
    }

    /// A small tensor's values on the host (RoPE factors).
    mutating func hostValues(_ name: String, count: Int) throws(InferenceError) -> [Float]? {
        guard has(name) else { return nil }
        let tensor = try require(name, shape: [count])
        try loaded(tensor)
        guard tensor.type == .f32 else {
            throw InferenceError(
                .unsupportedTensorType, "\(file.path): tensor \(name) has type \(tensor.type), expected F32")
        }
        let bytes = file.bytes(of: tensor)
        let values = (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        guard values.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw InferenceError(
                .malformedModel, "\(file.path): tensor \(name) holds a zero or a value that is not finite")
        }
        return values
    }
}

extension TensorInfo {
    /// The index of the block that a tensor belongs to, as in `blk.7.attn_q.weight`; nil for the others.
    var block: Int? {
        guard name.hasPrefix("blk.") else { return nil }
        let parts = name.split(separator: ".", maxSplits: 2)
        return parts.count == 3 ? Int(parts[1]) : nil
    }
}
