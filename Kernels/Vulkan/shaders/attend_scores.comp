// s[row][head][j] = Σ_d q[d] · k[d] for the tokens j that a row sees, in logical order: one chain of fused multiply–adds each.
//
// A thread loads some keys and multiplies each with several queries of the heads that share them: heads of a row, then of the
// next row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "cache.glsl"
#include "step.glsl"

layout(local_size_x = 64) in;
// Length of a head's key, in elements and in groups of eight.
layout(constant_id = 1) const uint DIMENSION = 64;
const uint EIGHTS = (DIMENSION + 7) / 8;
// Queries of a workgroup, and keys of a thread. They change no sum.
layout(constant_id = 2) const uint QUERIES = 1;
layout(constant_id = 3) const uint KEYS = 1;
// Whether the tokens are the step's own and each row has its own path to them. QUERIES and KEYS are 1 then.
layout(constant_id = 4) const bool IS_TREE = false;

layout(push_constant, scalar) uniform Parameters {
    Floats queries;
    Words4 keys;
    Halves keyScales;
    Floats scores;
    Integers depths, pathStarts, paths;
    uint queryStride, scoreStride, heads, headsPerKey, slots, committed, window, firstRow, rows;
    // Logical positions of the tokens.
    uint begin, end;
} p;

shared vec4 query[QUERIES * 2 * EIGHTS];

void main() {
    uint keyHead = gl_WorkGroupID.y, local = gl_LocalInvocationID.x;
    uint firstQuery = gl_WorkGroupID.z * QUERIES, lastQuery = p.rows * p.headsPerKey - 1;
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        uint number = min(firstQuery + q, lastQuery);
        uint row = p.firstRow + number / p.headsPerKey, head = keyHead * p.headsPerKey + number % p.headsPerKey;
        for (uint i = local; i < 8 * EIGHTS; i += gl_WorkGroupSize.x)
            query[q * 2 * EIGHTS + i / 4][i % 4] =
                i < DIMENSION ? p.queries.at[row * p.queryStride + head * DIMENSION + i] : 0.0;
    }
    barrier();
    uint first = p.begin + gl_WorkGroupID.x * gl_WorkGroupSize.x * KEYS + local;
    uint places[KEYS];
    [[unroll]] for (uint k = 0; k < KEYS; k++) {
        uint slot = min(first + k * gl_WorkGroupSize.x, p.end - 1);
        if (IS_TREE) {
            uint row = p.firstRow + firstQuery / p.headsPerKey;
            slot = p.committed + p.paths.at[p.pathStarts.at[row] + min(slot, LOGICAL_POSITION(row)) - p.committed];
        }
        places[k] = (keyHead * p.slots + slot) * EIGHTS;
    }
    precise float sums[QUERIES * KEYS];
    [[unroll]] for (uint i = 0; i < QUERIES * KEYS; i++) sums[i] = 0.0;
    for (uint e = 0; e < EIGHTS; e++) {
        Eight keys[KEYS];
        [[unroll]] for (uint k = 0; k < KEYS; k++) keys[k] = loadCached(p.keys, p.keyScales, places[k] + e);
        [[unroll]] for (uint q = 0; q < QUERIES; q++) {
            vec4 low = query[2 * (q * EIGHTS + e)], high = query[2 * (q * EIGHTS + e) + 1];
            [[unroll]] for (uint k = 0; k < KEYS; k++) {
                precise float sum = sums[q * KEYS + k];
                [[unroll]] for (int i = 0; i < 4; i++) sum = fma(low[i], keys[k].first[i], sum);
                [[unroll]] for (int i = 0; i < 4; i++) sum = fma(high[i], keys[k].second[i], sum);
                sums[q * KEYS + k] = sum;
            }
        }
    }
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        uint number = firstQuery + q;
        uint row = number / p.headsPerKey, head = keyHead * p.headsPerKey + number % p.headsPerKey;
        uint position = LOGICAL_POSITION(p.firstRow + min(row, p.rows - 1)), visible = firstVisible(position, p.window);
        [[unroll]] for (uint k = 0; k < KEYS; k++) {
            uint j = first + k * gl_WorkGroupSize.x;
            if (number <= lastQuery && j < p.end && j >= visible && j <= position)
                p.scores.at[(row * p.heads + head) * p.scoreStride + j - visible] = sums[q * KEYS + k];
        }
    }
}
