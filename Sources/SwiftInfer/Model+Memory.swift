// The memory that a model takes.

import InferSupport
import InferTransformer

extension Model {
    /// The memory that a model takes, in bytes.
    public struct MemoryUse: Sendable, Hashable {
        /// No memory.
        package init() {}

        /// The mapped file or files. The system reads parts when they are needed, and may drop them again. Weights that are not packed are
        /// read from there at each step.
        public internal(set) var mapped = 0
        /// The weights in the form that the processor's kernels read.
        public internal(set) var weights = 0
        /// Keys, values and states of all sessions and schedulers on the processor. Pages that were never written take no memory.
        public internal(set) var sequences = 0
        /// Copies of these: parked prefixes of schedulers.
        public internal(set) var parked = 0
        /// What steps compute in.
        public internal(set) var workspace = 0
        /// The memory of a device of its own, whatever it is for.
        public internal(set) var device = 0

        /// All of these but ``mapped``.
        public var total: Int { weights + sequences + parked + workspace + device }
    }

    /// The memory that the model takes at present. Nothing after ``unload()``.
    public var memoryUse: MemoryUse {
        var use = MemoryUse()
        guard let transformer = try? transformer else { return use }
        use.mapped = fileByteCount
        (use.weights, use.device) = transformer.backendByteCounts
        use.sequences = transformer.sequenceBytes.value
        // A device counts these itself.
        guard transformer.device == nil else { return use }
        use.parked = transformer.snapshotBytes.value
        use.workspace = transformer.workspaceByteCount
        return use
    }
}

extension Model.MemoryUse: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        let parts = [
            ("weights", weights), ("sequences", sequences), ("parked", parked), ("workspace", workspace),
            ("device", device),
        ]
        return "\(total.mebibytes): "
            + parts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1.mebibytes)" }.joined(separator: ", ")
            + "; \(mapped.mebibytes) mapped"
    }
}
