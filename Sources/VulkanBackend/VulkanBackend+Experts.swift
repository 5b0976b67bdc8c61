// Mixture of experts on the device: routing, and the weighted sum.

import CInferVulkanKernels
import InferGGUF
import InferSupport
package import InferTensors

extension VulkanBackend {
    package func route(_ logits: Activations, rows: Int, _ parameters: RoutingParameters, into routing: ExpertRouting) {
        let source = activations(logits)
        let target = unsafeDowncast(routing, to: VulkanExpertRouting.self)
        let isOverAll = parameters.gating == .softmaxThenTop
        perform { () throws(InferenceError) in
            try queue.dispatch(
                Shader(SI_SHADER_route, [isOverAll ? 1 : 0, parameters.normalisesWeights ? 1 : 0]),
                PushConstants(
                    [source.address, target.experts, target.weights],
                    [rows, source.columns, target.expertsUsed, source.stride], [parameters.weightScale]),
                groups: ((rows + 63) / 64, 1, 1), reads: [source.address], writes: [target.experts])
        }
    }

    package func combineExperts(_ x: Activations, rows: Int, _ routing: ExpertRouting, into y: Activations) {
        let combination = ExpertCombination(
            DeviceRows(activations(x)), rows: rows, unsafeDowncast(routing, to: VulkanExpertRouting.self),
            into: DeviceRows(activations(y)))
        perform(.combination(combination))
    }
}
