// Writes a step's keys, or its values, to the cache.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "eight_bits.glsl"

layout(local_size_x = 64) in;
// 0: f32, 1: f16, 3: eight-bit integers with an f16 scale for each 32.
layout(constant_id = 0) const uint ELEMENT = 0;

layout(push_constant, scalar) uniform Parameters {
    Floats x;
    Floats cache;
    Halves scales;
    // Length of a head's row, and in the cache, where it is padded.
    uint dimension, padded, heads, stride, slots, firstSlot;
} p;

void main() {
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = gl_WorkGroupID.y;
    uint size = ELEMENT == 3 ? 32 : 1, pieces = p.dimension / size;
    if (index >= pieces * p.heads) return;
    uint head = index / pieces, d = index % pieces * size;
    uint from = row * p.stride + head * p.dimension + d;
    uint to = (head * p.slots + p.firstSlot + row) * p.padded + d;
    if (ELEMENT == 0) {
        p.cache.at[to] = p.x.at[from];
    } else if (ELEMENT == 1) {
        Halves(p.cache).at[to] = uint16_t(packHalf2x16(vec2(p.x.at[from], 0.0)));
    } else {
        uint magnitude = 0;
        for (uint i = 0; i < 32; i++) magnitude = max(magnitude, magnitudeBits(p.x.at[from + i]));
        float factor = quantizingFactor(magnitude);
        for (uint i = 0; i < 32; i++) Bytes(p.cache).at[to + i] = int8_t(quantum(p.x.at[from + i], factor));
        p.scales.at[to / 32] = uint16_t(packHalf2x16(vec2(blockScale(magnitude), 0.0)));
    }
}
