// Activations in the CPU backend's memory.

/// A row-major matrix of f32 values.
package final class CPUActivations: Activations, @unchecked Sendable {
    private let memory: AlignedMemory

    /// `rows` × `columns` values of `memory`.
    init(_ memory: AlignedMemory, rows: Int, columns: Int) {
        self.memory = memory
        super.init(rows: rows, columns: columns)
    }

    /// Row `row`.
    func pointer(row: Int) -> UnsafeMutablePointer<Float> { memory.floats + row * columns }
}
