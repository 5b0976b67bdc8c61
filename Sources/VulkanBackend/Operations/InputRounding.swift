// Rounding to eight bits as a part of the operation whose results are rounded.

/// How inputs of products are rounded, and where they go.
struct InputRounding {
    /// Whether eight groups of 32 share a scale.
    let isSuper: Bool
    let inputs: UInt64
}
