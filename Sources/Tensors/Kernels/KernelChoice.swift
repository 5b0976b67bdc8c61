// Which implementation of the kernels a CPU backend uses.

/// Which implementation of the kernels to use; all give the same bits.
package enum KernelChoice: Sendable {
    /// The fastest this processor has.
    case automatic
    /// The scalar ones in Swift.
    case reference

    /// The kernels of this choice.
    package func makeKernels() -> any KernelSet {
        if case .automatic = self, let tuned = TunedKernels() { return tuned }
        return ReferenceKernels()
    }
}
