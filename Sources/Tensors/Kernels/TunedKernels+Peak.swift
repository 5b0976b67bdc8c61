// What this processor can do at most with a variant's instructions: the measure of its kernels.

import CInferKernels

extension TunedKernels {
    /// Multiplies bytes and adds the products in registers alone, `rounds` times over; returns the number of products.
    package func multiplyBytes(rounds: Int) -> Int { Int(table.pointee.peak_of_bytes(rounds)) }

    /// The same with f32.
    package func multiplyFloats(rounds: Int) -> Int { Int(table.pointee.peak_of_floats(rounds)) }

    /// Reads bytes in whole vectors and does nothing with them.
    package func read(_ count: Int, _ bytes: UnsafeRawPointer) { table.pointee.read(count, bytes) }
}
