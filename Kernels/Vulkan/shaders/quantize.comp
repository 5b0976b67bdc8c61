// Rounds rows of inputs to eight bits, for products with quantised weights: groups of 32 of twelve words, which are the values,
// the scale, for blocks of 32 also scale · Σ values, the sums of both halves as 16-bit integers, and nothing.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "eight_bits.glsl"

layout(local_size_x = 64) in;
// Whether eight groups share a scale.
layout(constant_id = 0) const bool IS_SUPER = false;

layout(push_constant, scalar) uniform Parameters {
    Floats4 inputs;
    Words4 groups;
    uint count, inputStride;
} p;

shared uint magnitudes[64];

void main() {
    uint local = gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    uint index = gl_WorkGroupID.x * 64 + local;
    bool exists = index < p.count;
    vec4 x[8];
    uint magnitude = 0;
    for (int i = 0; i < 8; i++) {
        x[i] = exists ? p.inputs.at[row * (p.inputStride / 4) + index * 8 + i] : vec4(0.0);
        for (int j = 0; j < 4; j++) magnitude = max(magnitude, magnitudeBits(x[i][j]));
    }
    if (IS_SUPER) {
        magnitudes[local] = magnitude;
        barrier();
        for (uint i = 0; i < 8; i++) magnitude = max(magnitude, magnitudes[local / 8 * 8 + i]);
    }
    if (!exists) return;
    float factor = quantizingFactor(magnitude), scale = blockScale(magnitude);
    uint words[8];
    ivec2 sums = ivec2(0);
    for (int i = 0; i < 8; i++) {
        words[i] = 0;
        for (int j = 0; j < 4; j++) {
            int value = quantum(x[i][j], factor);
            words[i] |= uint(value & 255) << 8 * j;
            sums[i / 4] += value;
        }
    }
    precise float scaledSum = scale * float(sums.x + sums.y);
    if (!IS_SUPER) {
        scaledSum = roundedToHalf(scaledSum);
        scale = roundedToHalf(scale);
    }
    uint place = 3 * (row * p.count + index);
    p.groups.at[place] = uvec4(words[0], words[1], words[2], words[3]);
    p.groups.at[place + 1] = uvec4(words[4], words[5], words[6], words[7]);
    p.groups.at[place + 2] =
        uvec4(floatBitsToUint(scale), floatBitsToUint(scaledSum), uint(sums.x & 0xffff) | uint(sums.y) << 16, 0);
}
