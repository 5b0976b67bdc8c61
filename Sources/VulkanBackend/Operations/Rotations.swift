// Rotary position embedding of heads.

import CInferVulkanKernels
import InferSupport
import InferTensors

/// Rotations in place by the same angles: of one set of heads, or of a step's queries and then its keys.
struct Rotations {
    let angles: DeviceRows
    let rows: Int, headDimension: Int
    let pairing: RotaryPairing
    /// What is rotated: one or two.
    private(set) var targets: [DeviceRows]

    init(_ target: DeviceRows, rows: Int, headDimension: Int, angles: DeviceRows, pairing: RotaryPairing) {
        (self.rows, self.headDimension, self.angles, self.pairing) = (rows, headDimension, angles, pairing)
        targets = [target]
    }

    /// Pairs of a head.
    var pairs: Int { angles.columns / 2 }
    /// Heads of a row of `target`.
    func heads(of target: DeviceRows) -> Int { target.columns / headDimension }
    /// Workgroups for a row of `target`, with a pair for each of 64 threads.
    func groups(of target: DeviceRows) -> Int { (pairs * heads(of: target) + 63) / 64 }

    /// With another rotation; nil where that is of the same heads or goes otherwise.
    func followed(by next: Self) -> Self? {
        guard targets.count == 1, next.targets.count == 1, targets[0].address != next.targets[0].address,
            angles.address == next.angles.address, rows == next.rows, headDimension == next.headDimension,
            pairing == next.pairing
        else { return nil }
        var joined = self
        joined.targets += next.targets
        return joined
    }

    func record(on queue: CommandQueue) throws(InferenceError) {
        for target in targets {
            try queue.dispatch(
                Shader(SI_SHADER_rotate, [pairing == .halves ? 1 : 0]),
                PushConstants(
                    [target.address, angles.address],
                    [pairs, heads(of: target), headDimension, target.stride, angles.stride]),
                groups: (groups(of: target), rows, 1), reads: [angles.address], writes: [target.address])
        }
    }
}
