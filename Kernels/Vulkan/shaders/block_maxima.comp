// The largest order number (likelihood.glsl) of each block of 64 logits. 16 lanes share a block.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "likelihood.glsl"

layout(local_size_x = 128) in;

layout(push_constant, scalar) uniform Parameters {
    Floats4 logits;
    Words maxima;
    uint count, stride, maximaStride;
} p;

const uint LANES = BLOCK / 4;

shared uint largest[gl_WorkGroupSize.x];

void main() {
    uint local = gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    uint index = 4 * (gl_WorkGroupID.x * gl_WorkGroupSize.x + local);
    uint maximum = 0;
    if (index < p.count) {
        // Rows are padded to multiples of four.
        vec4 four = p.logits.at[(row * p.stride + index) / 4];
        for (uint i = 0; i < 4; i++)
            if (index + i < p.count) maximum = max(maximum, likelihood(four[i]));
    }
    largest[local] = maximum;
    for (uint distance = LANES / 2; distance > 0; distance /= 2) {
        barrier();
        if (local % LANES < distance) largest[local] = max(largest[local], largest[local + distance]);
    }
    if (local % LANES == 0 && index < p.count) p.maxima.at[row * p.maximaStride + index / BLOCK] = largest[local];
}
