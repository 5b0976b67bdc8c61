// s[row][head][j] = Σ_d q[d] · k[d] over the tokens j that a row sees, in logical order; one chain of fused multiply–adds each.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "cache.glsl"
#include "step.glsl"

layout(local_size_x = 64) in;
// Length of a head's key, and that in eights.
layout(constant_id = 1) const uint DIMENSION = 64;
const uint EIGHTS = (DIMENSION + 7) / 8;

layout(push_constant, scalar) uniform Parameters {
    Floats queries;
    Words4 keys;
    Halves keyScales;
    Floats scores;
    Integers depths, pathStarts, paths;
    uint queryStride, scoreStride, heads, headsPerKey, slots, committed, window, firstRow, isTree;
} p;

shared vec4 query[2 * EIGHTS];

void main() {
    uint head = gl_WorkGroupID.y, row = p.firstRow + gl_WorkGroupID.z, local = gl_LocalInvocationID.x;
    for (uint i = local; i < 8 * EIGHTS; i += gl_WorkGroupSize.x)
        query[i / 4][i % 4] = i < DIMENSION ? p.queries.at[row * p.queryStride + head * DIMENSION + i] : 0.0;
    barrier();
    uint position = LOGICAL_POSITION(row);
    uint first = firstVisible(position, p.window);
    uint index = gl_WorkGroupID.x * gl_WorkGroupSize.x + local;
    uint j = first + index;
    if (j > position) return;
    uint slot = p.isTree != 0 && j >= p.committed
        ? p.committed + p.paths.at[p.pathStarts.at[row] + j - p.committed] : j;
    uint key = (head / p.headsPerKey * p.slots + slot) * EIGHTS;
    precise float sum = 0.0;
    for (uint e = 0; e < EIGHTS; e++) {
        Eight eight = loadCached(p.keys, p.keyScales, key + e);
        for (int i = 0; i < 4; i++) sum = fma(query[2 * e][i], eight.first[i], sum);
        for (int i = 0; i < 4; i++) sum = fma(query[2 * e + 1][i], eight.second[i], sum);
    }
    p.scores.at[(gl_WorkGroupID.z * p.heads + head) * p.scoreStride + index] = sum;
}
