// The memory that a model takes, compared with what there is.

import InferCatalogue
import InferEvaluation

/// Whether the memory of this machine holds a model.
package struct MemoryCheck {
    /// The bytes of the model's weights. Keys and values of a session come on top.
    let required: Int
    /// The bytes that are available; nil if unknown.
    let available: Int?

    /// A comparison of two sizes.
    package init(required: Int, available: Int?) { (self.required, self.available) = (required, available) }

    /// The comparison for the model at `path`, of one file or several, on this machine.
    init(_ path: String) {
        let machine = MachineDescription.current()
        let limits = [machine.availableMemory ?? machine.memory, machine.memoryLimit].compactMap { $0 }
        let paths = ModelFolder.File(path: path, repository: nil).paths
        self.init(
            required: paths.reduce(0) { $0 + (ModelFolder.size(of: $1) ?? 0) }, available: limits.min())
    }

    /// What to say if the memory is not enough; nil if it is.
    package var warning: String? {
        guard let available, required > available else { return nil }
        return
            "the weights alone need \(Format.bytes(required)) of memory, and \(Format.bytes(available)) are available: the model "
            + "may run slowly or not at all"
    }

    /// Says on standard error if the memory is not enough.
    func warn() { Output.warn(warning.map { [$0] } ?? []) }
}
