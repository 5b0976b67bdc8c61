// Rotary position embedding, in place: each pair (a, b) of a head by its row's cosine and sine.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 64) in;
// Whether a pair is (i, i + pairs), not (2i, 2i + 1).
layout(constant_id = 0) const bool HAS_HALVES = false;

layout(push_constant, scalar) uniform Parameters {
    Floats x, rotation;
    uint pairs, heads, headDimension, stride, rotationStride;
} p;

void main() {
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (index >= p.pairs * p.heads) return;
    uint pair = index % p.pairs, head = row * p.stride + index / p.pairs * p.headDimension;
    uint first = head + (HAS_HALVES ? pair : 2 * pair), second = HAS_HALVES ? first + p.pairs : first + 1;
    float cosine = p.rotation.at[row * p.rotationStride + 2 * pair];
    float sine = p.rotation.at[row * p.rotationStride + 2 * pair + 1];
    precise float a = p.x.at[first], b = p.x.at[second];
    precise float left = fma(a, cosine, -(b * sine)), right = fma(a, sine, b * cosine);
    p.x.at[first] = left;
    p.x.at[second] = right;
}
