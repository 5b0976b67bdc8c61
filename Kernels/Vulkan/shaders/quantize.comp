// Rounds rows of inputs to eight bits, for products with quantised weights: groups of 32 of twelve words, which are the values,
// the scale, for blocks of 32 also scale · Σ values, the sums of both halves as 16-bit integers, and nothing.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "eight_bits.glsl"

layout(local_size_x = 64) in;
#include "quantize_group.glsl"

layout(push_constant, scalar) uniform Parameters {
    Floats4 inputs;
    Words groups;
    // Of a row, in fours.
    uint count, inputStride;
} p;

void main() {
    uint row = gl_WorkGroupID.y, index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    bool exists = index < p.count;
    vec4 x = exists ? p.inputs.at[row * (p.inputStride / 4) + index] : vec4(0.0);
    quantizeFour(x, exists, p.groups, row * p.count + index);
}
