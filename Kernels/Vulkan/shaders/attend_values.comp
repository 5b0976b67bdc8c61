// y[row][head][d] = (Σ_j p[j] · v[j][d]) · 1/Σ over the tokens j that a row sees, in logical order.
//
// Thirty-two lanes share a sum: lane l takes the tokens l, l + 32, …, by their logical position, in order; then they are added in
// pairs at distance 16, 8, 4, 2, 1. A workgroup has several queries of the heads that share values: heads of a row, then of the next.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "cache.glsl"
#include "step.glsl"

// Thirty-two lanes for each of four eights.
const uint LANES = 32, EIGHTS = 4;
layout(local_size_x = 4, local_size_y = 32) in;
// Queries of a workgroup; that changes no sum.
layout(constant_id = 1) const uint QUERIES = 1;

layout(push_constant, scalar) uniform Parameters {
    Floats scores;
    Floats inverses;
    Words4 values;
    Halves valueScales;
    Floats outputs;
    Integers depths, pathStarts, paths;
    uint dimension, outputStride, scoreStride, heads, headsPerKey, slots, committed, window, firstRow, rows, isTree;
} p;

shared vec4 sums[LANES][2 * EIGHTS];

void main() {
    uint keyHead = gl_WorkGroupID.y, lane = gl_LocalInvocationID.y, column = 2 * gl_LocalInvocationID.x;
    uint eights = (p.dimension + 7) / 8, e = gl_WorkGroupID.x * EIGHTS + gl_LocalInvocationID.x;
    uint firstQuery = gl_WorkGroupID.z * QUERIES, lastQuery = p.rows * p.headsPerKey - 1;
    uint base = keyHead * p.slots;
    uint positions[QUERIES], visible[QUERIES], starts[QUERIES];
    precise vec4 low[QUERIES], high[QUERIES];
    uint begin = 0xffffffffu, end = 0;
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        uint number = min(firstQuery + q, lastQuery);
        uint row = number / p.headsPerKey, head = keyHead * p.headsPerKey + number % p.headsPerKey;
        positions[q] = LOGICAL_POSITION(p.firstRow + row);
        visible[q] = firstVisible(positions[q], p.window);
        starts[q] = (row * p.heads + head) * p.scoreStride;
        begin = min(begin, visible[q]);
        end = max(end, positions[q] + 1);
        low[q] = vec4(0.0);
        high[q] = vec4(0.0);
    }
    if (e < eights) {
        // Tokens that every row finds in the same slots.
        if (p.isTree != 0) end = p.committed;
        for (uint j = begin / LANES * LANES + lane; j < end; j += LANES) {
            Eight value = loadCached(p.values, p.valueScales, (base + j) * eights + e);
            [[unroll]] for (uint q = 0; q < QUERIES; q++) {
                if (j >= visible[q] && j <= positions[q]) {
                    float weight = p.scores.at[starts[q] + j - visible[q]];
                    low[q] = fma(vec4(weight), value.first, low[q]);
                    high[q] = fma(vec4(weight), value.second, high[q]);
                }
            }
        }
        // And those of a tree, to which each has a path of its own.
        [[unroll]] for (uint q = 0; q < QUERIES; q++) {
            uint path = p.isTree == 0 ? 0 : p.pathStarts.at[p.firstRow + min(firstQuery + q, lastQuery) / p.headsPerKey];
            uint from = max(p.committed, visible[q]), last = p.isTree == 0 ? 0 : positions[q] + 1;
            for (uint j = from + (lane - from) % LANES; j < last; j += LANES) {
                uint slot = p.committed + p.paths.at[path + j - p.committed];
                Eight value = loadCached(p.values, p.valueScales, (base + slot) * eights + e);
                float weight = p.scores.at[starts[q] + j - visible[q]];
                low[q] = fma(vec4(weight), value.first, low[q]);
                high[q] = fma(vec4(weight), value.second, high[q]);
            }
        }
    }
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        precise vec4 first = low[q], second = high[q];
        barrier();
        sums[lane][column] = first;
        sums[lane][column + 1] = second;
        for (uint distance = LANES / 2; distance > 0; distance /= 2) {
            barrier();
            if (lane < distance) {
                first += sums[lane + distance][column];
                second += sums[lane + distance][column + 1];
                sums[lane][column] = first;
                sums[lane][column + 1] = second;
            }
        }
        uint number = firstQuery + q;
        if (lane == 0 && e < eights && number <= lastQuery) {
            uint row = number / p.headsPerKey, head = keyHead * p.headsPerKey + number % p.headsPerKey;
            precise float inverse = p.inverses.at[row * p.heads + head];
            first *= inverse;
            second *= inverse;
            uint target = (p.firstRow + row) * p.outputStride + head * p.dimension + 8 * e;
            for (uint i = 0; i < 8 && 8 * e + i < p.dimension; i++)
                p.outputs.at[target + i] = i < 4 ? first[i] : second[i - 4];
        }
    }
}
