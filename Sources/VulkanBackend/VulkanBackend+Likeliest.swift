// Finding the likeliest tokens of rows of logits, and adding up their softmax, on the device.

import CInferVulkanKernels
import InferGGUF
import InferSupport
package import InferTensors

extension VulkanBackend {
    /// Takes the maxima in any case: with its memory, a device reads the logits again at little cost.
    package func findLikeliest(
        _ logits: Activations, rows: Int, of tokenCount: Int, hasMaxima: Bool, into likeliest: LikeliestTokens
    ) {
        let (source, maxima) = (activations(logits), activations(likeliest.maxima))
        let keys = activations(likeliest.keys)
        perform { () throws(InferenceError) in
            try queue.dispatch(
                Shader(SI_SHADER_block_maxima),
                PushConstants([source.address, maxima.address], [tokenCount, source.stride, maxima.stride]),
                groups: ((tokenCount + 511) / 512, rows, 1), reads: [source.address], writes: [maxima.address])
            try queue.dispatch(
                Shader(SI_SHADER_likeliest),
                PushConstants(
                    [source.address, maxima.address, keys.address],
                    [tokenCount, source.stride, maxima.stride, keys.stride / 2, likeliest.count]),
                groups: (rows, 1, 1), reads: [source.address, maxima.address], writes: [keys.address])
        }
    }

    package func sumSoftmax(
        _ logits: Activations, rows: Int, of tokenCount: Int, scale: Float, into likeliest: LikeliestTokens
    ) {
        // The maxima have served.
        let (source, blocks) = (activations(logits), activations(likeliest.maxima))
        let (keys, sums) = (activations(likeliest.keys), activations(likeliest.sums))
        perform { () throws(InferenceError) in
            try queue.dispatch(
                Shader(SI_SHADER_softmax_blocks),
                PushConstants(
                    [source.address, keys.address, blocks.address],
                    [tokenCount, source.stride, keys.stride / 2, blocks.stride], [scale]),
                groups: ((tokenCount + 511) / 512, rows, 1), reads: [source.address, keys.address],
                writes: [blocks.address])
            try queue.dispatch(
                Shader(SI_SHADER_softmax_sums),
                PushConstants(
                    [source.address, keys.address, blocks.address, sums.address],
                    [tokenCount, source.stride, keys.stride / 2, blocks.stride, sums.stride, likeliest.count], [scale]),
                groups: (rows, 1, 1), reads: [source.address, keys.address, blocks.address], writes: [sums.address])
        }
    }
}
