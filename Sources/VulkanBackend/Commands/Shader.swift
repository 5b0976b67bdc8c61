// A shader with its specialisation constants: what a pipeline is made from.

import CInferVulkanKernels

/// Identifies a pipeline.
struct Shader: Hashable {
    let name: UInt32
    /// The constants with identifiers 0, 1, ….
    let constants: [UInt32]

    init(_ name: si_shader_name, _ constants: [UInt32] = []) {
        self.name = name.rawValue
        self.constants = constants
    }
}
