// Which implementation of the kernels a CPU backend uses.

/// Which implementation of the kernels to use; all give the same bits.
package enum KernelChoice: Sendable {
    /// The fastest this processor has.
    case automatic
    /// The variant of that name, such as `avx2`; the scalar ones where this processor cannot run it.
    case named(String)
    /// The scalar ones in Swift.
    case reference

    /// The kernels of this choice.
    package func makeKernels() -> any KernelSet {
        let tuned: TunedKernels? =
            switch self {
            case .automatic: TunedKernels()
            case .named(let name): TunedKernels(name)
            case .reference: nil
            }
        return tuned ?? ReferenceKernels()
    }
}
