// Advances the last inputs of convolutions, in place, by rows whose inputs were kept. A thread has a channel of a layer.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 64) in;

layout(push_constant, scalar) uniform Parameters {
    // The last inputs, the oldest first; what rows left; three integers for each row that is taken in, the first of which is its number.
    Floats inputs, kept;
    Integers rows;
    uint channels, window, count;
    // Floats between two layers, and between two rows.
    uint layerStride, keptLayerStride, keptStride;
} p;

void main() {
    uint channel = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, layer = gl_WorkGroupID.y;
    if (channel >= p.channels) return;
    uint first = layer * p.layerStride + channel, keptFirst = layer * p.keptLayerStride + channel;
    for (uint i = 0; i < p.window; i++) {
        // Earlier inputs are overwritten after they have been read.
        if (i + p.count < p.window) {
            p.inputs.at[first + i * p.channels] = p.inputs.at[first + (i + p.count) * p.channels];
        } else {
            uint row = uint(p.rows.at[3 * (i + p.count - p.window)]);
            p.inputs.at[first + i * p.channels] = p.kept.at[keptFirst + row * p.keptStride];
        }
    }
}
