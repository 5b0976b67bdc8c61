// y[row][head][d] = (Σ_j p[j] · v[j][d]) · 1/Σ over the tokens j that a row sees, in logical order.
//
// Sixteen lanes share a sum: lane l takes the tokens l, l + 16, … in order; then they are added in pairs at distance 8, 4, 2, 1.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "cache.glsl"
#include "step.glsl"

// Sixteen lanes for each of eight eights.
layout(local_size_x = 8, local_size_y = 16) in;

layout(push_constant, scalar) uniform Parameters {
    Floats scores;
    Floats inverses;
    Words4 values;
    Halves valueScales;
    Floats outputs;
    Integers depths, pathStarts, paths;
    uint dimension, outputStride, scoreStride, heads, headsPerKey, slots, committed, window, firstRow, isTree;
} p;

shared vec4 sums[16][16];

void main() {
    uint head = gl_WorkGroupID.y, row = p.firstRow + gl_WorkGroupID.z, lane = gl_LocalInvocationID.y;
    uint eights = (p.dimension + 7) / 8, e = gl_WorkGroupID.x * 8 + gl_LocalInvocationID.x;
    uint position = LOGICAL_POSITION(row);
    uint first = firstVisible(position, p.window);
    uint place = gl_WorkGroupID.z * p.heads + head, start = place * p.scoreStride;
    uint base = head / p.headsPerKey * p.slots;
    precise vec4 low = vec4(0.0), high = vec4(0.0);
    if (e < eights) {
        for (uint j = first + lane; j <= position; j += 16) {
            uint slot = p.isTree != 0 && j >= p.committed
                ? p.committed + p.paths.at[p.pathStarts.at[row] + j - p.committed] : j;
            Eight value = loadCached(p.values, p.valueScales, (base + slot) * eights + e);
            float weight = p.scores.at[start + j - first];
            low = fma(vec4(weight), value.first, low);
            high = fma(vec4(weight), value.second, high);
        }
    }
    uint column = 2 * gl_LocalInvocationID.x;
    sums[lane][column] = low;
    sums[lane][column + 1] = high;
    for (uint distance = 8; distance > 0; distance /= 2) {
        barrier();
        if (lane < distance) {
            low += sums[lane + distance][column];
            high += sums[lane + distance][column + 1];
            sums[lane][column] = low;
            sums[lane][column + 1] = high;
        }
    }
    if (lane > 0 || e >= eights) return;
    precise float inverse = p.inverses.at[place];
    low *= inverse;
    high *= inverse;
    uint target = row * p.outputStride + head * p.dimension + 8 * e;
    for (uint i = 0; i < 8 && 8 * e + i < p.dimension; i++)
        p.outputs.at[target + i] = i < 4 ? low[i] : high[i - 4];
}
