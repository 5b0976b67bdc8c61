// What one shader does with each element of rows by itself.

/// Operations of `elementwise.comp`, by its numbers.
enum ElementwiseOperation: UInt32 {
    case silu = 0
    case gelu = 1
    case clampedSwiGLU = 2
    case addScaled = 3
    case scale = 4
    case scaleRows = 5
    case softCap = 6
    case combineExperts = 7
}
