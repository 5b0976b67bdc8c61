// Rotary position embedding, in place: rotates each pair (a, b) of a head, from its dimension `offset` on,
// by the cosine and sine of its row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "rotation.glsl"

layout(local_size_x = 64) in;
// Whether a pair is (i, i + pairs) instead of (2i, 2i + 1).
layout(constant_id = 0) const bool HAS_HALVES = false;

layout(push_constant, scalar) uniform Parameters {
    Floats x, rotation;
    uint pairs, heads, headDimension, offset, stride, rotationStride;
} p;

void main() {
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    if (index >= p.pairs * p.heads) return;
    uint pair = index % p.pairs, head = row * p.stride + index / p.pairs * p.headDimension + p.offset;
    rotatePair(
        p.x, head + elementsOfPair(pair, p.pairs, HAS_HALVES), p.rotation, row * p.rotationStride + 2 * pair);
}
