// A model file with its weights in another type.

import InferGGUF
import InferSupport
import InferTensors

/// A model as it is after quantising.
struct QuantizedModel {
    private let file: GGUFFile
    private let plan: QuantizationPlan
    private let type: TensorType

    /// The version of the block formats that readers expect in `general.quantization_version`.
    private static let quantizationVersion: UInt32 = 2

    /// `file` according to `plan`, in the main `type`.
    init(_ file: GGUFFile, _ plan: QuantizationPlan, type: TensorType) {
        self.file = file
        self.plan = plan
        self.type = type
    }

    /// What writes the file. `progress` is told the share that is done and the tensor; writing ends with an error
    /// `cancelled` soon after the surrounding task is.
    func writer(
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

    /// The model's metadata with the new type, and without what says that it was split.
    private var metadata: Metadata {
        var metadata = file.metadata
        for key in metadata.keys where key.hasPrefix("split.") { metadata[key] = nil }
        metadata["general.file_type"] = type.fileType.map { .uint32($0) }
        metadata["general.quantization_version"] = .uint32(Self.quantizationVersion)
        return metadata
    }
}
