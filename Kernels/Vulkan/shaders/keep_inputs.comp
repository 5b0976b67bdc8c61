// Keeps what it takes to advance a state by a row: its keys, values, decays and betas, one behind the other.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 64) in;

layout(push_constant, scalar) uniform Parameters {
    Floats keys, values, decays, betas, kept;
    uint keyCount, valueCount, decayCount, betaCount;
    uint keyStride, valueStride, decayStride, betaStride, keptStride;
} p;

void main() {
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    uint place = row * p.keptStride + index;
    if (index < p.keyCount) {
        p.kept.at[place] = p.keys.at[row * p.keyStride + index];
        return;
    }
    index -= p.keyCount;
    if (index < p.valueCount) {
        p.kept.at[place] = p.values.at[row * p.valueStride + index];
        return;
    }
    index -= p.valueCount;
    if (index < p.decayCount) {
        p.kept.at[place] = p.decays.at[row * p.decayStride + index];
        return;
    }
    index -= p.decayCount;
    if (index < p.betaCount) p.kept.at[place] = p.betas.at[row * p.betaStride + index];
}
