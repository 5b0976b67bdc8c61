// Copies slots of the cache, one move (from, to) after the other, in every layer and head.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"

layout(local_size_x = 64) in;

layout(push_constant, scalar) uniform Parameters {
    Halves cache;
    Integers moves;
    // Moves, slots of a head, and the length of a slot in 16-bit units.
    uint count, slots, units;
} p;

void main() {
    uint unit = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (unit >= p.units) return;
    uint head = gl_WorkGroupID.y * p.slots;
    for (uint i = 0; i < p.count; i++) {
        uint from = uint(p.moves.at[2 * i]), to = uint(p.moves.at[2 * i + 1]);
        p.cache.at[(head + to) * p.units + unit] = p.cache.at[(head + from) * p.units + unit];
    }
}
