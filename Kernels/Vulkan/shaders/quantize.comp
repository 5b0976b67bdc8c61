// Rounds rows of inputs to eight bits, for products with quantised weights. A group of 32 takes twelve words: eight with the
// values, the scale, scale · Σ values (used for blocks of 32 only), the sums of both halves as 16-bit integers, and padding.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "eight_bits.glsl"

layout(local_size_x = 64) in;
#include "quantize_group.glsl"

layout(push_constant, scalar) uniform Parameters {
    Floats4 inputs;
    Words groups;
    // `count` is the length of a row in groups of four.
    uint count, inputStride;
} p;

void main() {
    uint row = gl_WorkGroupID.y, index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    bool exists = index < p.count;
    vec4 x = exists ? p.inputs.at[row * (p.inputStride / 4) + index] : vec4(0.0);
    quantizeFour(x, exists, p.groups, row * p.count + index);
}
