// f32 values of the model in the CPU backend's memory.

/// Norm weights, biases or sinks.
package final class CPUWeightVector: WeightVector, @unchecked Sendable {
    private let memory: AlignedMemory
    /// The values.
    var pointer: UnsafePointer<Float> { UnsafePointer(memory.floats) }

    /// The first `count` values of `memory`, which nobody writes any more.
    init(_ memory: AlignedMemory, count: Int) {
        self.memory = memory
        super.init(count: count)
    }
}
