// Σ exp(scale · (logit − largest)) of each block of 64 logits. 16 lanes share a block. The first key has the largest logit.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "softmax.glsl"

layout(local_size_x = 128) in;

layout(push_constant, scalar) uniform Parameters {
    Floats4 logits;
    Words2 keys;
    Floats sums;
    uint count, stride, keyStride, sumStride;
    float scale;
} p;

const uint LANES = BLOCK / 4;

shared float sums[gl_WorkGroupSize.x];

void main() {
    uint local = gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    uint index = 4 * (gl_WorkGroupID.x * gl_WorkGroupSize.x + local);
    float largest = logitOf(p.keys.at[row * p.keyStride].y);
    precise float sum = 0.0;
    if (index < p.count) {
        // Rows are padded to multiples of four.
        vec4 four = p.logits.at[(row * p.stride + index) / 4];
        for (uint i = 0; i < 4; i++)
            if (index + i < p.count) sum += numerator(four[i], largest, p.scale);
    }
    sums[local] = sum;
    for (uint distance = LANES / 2; distance > 0; distance /= 2) {
        barrier();
        if (local % LANES < distance) {
            sum += sums[local + distance];
            sums[local] = sum;
        }
    }
    if (local % LANES == 0 && index < p.count) p.sums.at[row * p.sumStride + index / BLOCK] = sums[local];
}
