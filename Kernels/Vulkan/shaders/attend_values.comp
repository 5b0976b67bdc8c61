// Softmax over a chunk of the tokens j that a row sees, and Σ_j e[j] · v[j][d] of its numerators e and the values. If there is only
// one chunk, y[row][head][d] = Σ_j e[j] · v[j][d] · 1 / Σ_j e[j]; otherwise attend_combine adds the chunks.
//
// Everything is in logical order. The exact maximum comes first. Then lane l of 128 sums the numerators l, l + 128, … of the
// chunk, and the lanes are added in pairs at distance 64, 32, …, 1. 32 lanes share a sum of values: lane l takes the tokens at
// logical positions l, l + 32, …, and the lanes are added in pairs at distance 16, 8, 4, 2, 1.
//
// A workgroup computes several queries of the heads that share values: heads of a row, then of the next row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "cache.glsl"
#include "mathematics.glsl"
#include "step.glsl"
#include "chunks.glsl"

// 32 lanes for each of four groups of eight columns.
const uint LANES = 32, EIGHTS = 4, WIDTH = LANES * EIGHTS;
layout(local_size_x = 4, local_size_y = 32) in;
// Queries of a workgroup. It changes no sum.
layout(constant_id = 1) const uint QUERIES = 1;

layout(push_constant, scalar) uniform Parameters {
    Floats scores;
    Words4 values;
    Halves valueScales;
    Floats outputs, sinks;
    Integers depths, pathStarts, paths;
    uint dimension, outputStride, scoreStride, heads, headsPerKey, slots, committed, window, firstRow, rows;
    // Workgroups that share the columns of a chunk.
    uint columnGroups;
    uint isTree, hasSinks;
    float scale, cap;
} p;

shared float numerators[QUERIES * CHUNK];
shared float lanes[QUERIES * WIDTH];
shared vec4 sums[LANES][2 * EIGHTS];

// Writes the maximum of the 128 lanes of each query to its first lane.
void findMaxima(uint local) {
    barrier();
    for (uint i = local; i < 16 * QUERIES; i += WIDTH) {
        uint lane = i / 16 * WIDTH + i % 16;
        float largest = lanes[lane];
        for (uint k = 1; k < 8; k++) largest = max(largest, lanes[lane + 16 * k]);
        lanes[lane] = largest;
    }
    barrier();
    if (local < QUERIES) {
        float largest = lanes[local * WIDTH];
        for (uint k = 1; k < 16; k++) largest = max(largest, lanes[local * WIDTH + k]);
        lanes[local * WIDTH] = largest;
    }
    barrier();
}

vec4 fourLanes(uint first) { return vec4(lanes[first], lanes[first + 1], lanes[first + 2], lanes[first + 3]); }

// Likewise their sum: pairs at distance 64, 32 and 16, then 8, 4, 2 and 1.
void findSums(uint local) {
    barrier();
    for (uint i = local; i < 16 * QUERIES; i += WIDTH) {
        uint lane = i / 16 * WIDTH + i % 16;
        precise float a = (lanes[lane] + lanes[lane + 64]) + (lanes[lane + 32] + lanes[lane + 96]);
        precise float b = (lanes[lane + 16] + lanes[lane + 80]) + (lanes[lane + 48] + lanes[lane + 112]);
        precise float sum = a + b;
        lanes[lane] = sum;
    }
    barrier();
    if (local < QUERIES) {
        uint first = local * WIDTH;
        precise vec4 part = (fourLanes(first) + fourLanes(first + 8)) + (fourLanes(first + 4) + fourLanes(first + 12));
        precise float sum = (part.x + part.z) + (part.y + part.w);
        lanes[local * WIDTH] = sum;
    }
    barrier();
}

void main() {
    uint keyHead = gl_WorkGroupID.y, lane = gl_LocalInvocationID.y, local = gl_LocalInvocationIndex;
    uint chunk = gl_WorkGroupID.x / p.columnGroups, columnGroup = gl_WorkGroupID.x % p.columnGroups;
    uint firstQuery = gl_WorkGroupID.z * QUERIES, lastQuery = p.rows * p.headsPerKey - 1;
    // For each query: its tokens of the chunk, its number among the heads of all rows, and whether this is its only chunk.
    uint from[QUERIES], to[QUERIES], places[QUERIES];
    bool isWhole[QUERIES];
    uint begin = 0xffffffffu, end = 0;
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        uint number = min(firstQuery + q, lastQuery), row = number / p.headsPerKey;
        uint position = LOGICAL_POSITION(p.firstRow + row), visible = firstVisible(position, p.window);
        places[q] = row * p.heads + keyHead * p.headsPerKey + number % p.headsPerKey;
        isWhole[q] = position + 1 - visible <= CHUNK;
        from[q] = min(visible + chunk * CHUNK, position + 1);
        to[q] = min(from[q] + CHUNK, position + 1);
        if (from[q] < to[q]) {
            begin = min(begin, from[q]);
            end = max(end, to[q]);
        }
    }
    if (begin >= end) return;

    float largest[QUERIES];
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        bool hasSink = p.hasSinks != 0 && isWhole[q];
        float most = hasSink ? p.sinks.at[places[q] % p.heads] : -3.402823466e38;
        uint start = places[q] * p.scoreStride + chunk * CHUNK;
        for (uint i = local; i < to[q] - from[q]; i += WIDTH) {
            precise float score = p.scores.at[start + i] * p.scale;
            if (p.cap > 0.0) score = p.cap * hyperbolicTangent(score / p.cap);
            numerators[q * CHUNK + i] = score;
            if (score > most) most = score;
        }
        lanes[q * WIDTH + local] = most;
    }
    findMaxima(local);
    [[unroll]] for (uint q = 0; q < QUERIES; q++) largest[q] = lanes[q * WIDTH];
    barrier();
    [[unroll]] for (uint q = 0; q < QUERIES; q++) {
        precise float sum = 0.0;
        for (uint i = local; i < to[q] - from[q]; i += WIDTH) {
            float e = exponential(numerators[q * CHUNK + i] - largest[q]);
            numerators[q * CHUNK + i] = e;
            sum += e;
        }
        lanes[q * WIDTH + local] = sum;
    }
    findSums(local);

    uint eights = (p.dimension + 7) / 8, base = keyHead * p.slots;
    // Tokens before this position are in the same slots for every row.
    uint commonEnd = p.isTree != 0 ? min(end, p.committed) : end;
    for (uint group = columnGroup; group * EIGHTS < eights; group += p.columnGroups) {
        uint e = group * EIGHTS + gl_LocalInvocationID.x;
        precise vec4 low[QUERIES], high[QUERIES];
        [[unroll]] for (uint q = 0; q < QUERIES; q++) low[q] = high[q] = vec4(0.0);
        if (e < eights) {
            for (uint j = begin / LANES * LANES + lane; j < commonEnd; j += LANES) {
                Eight value = loadCached(p.values, p.valueScales, (base + j) * eights + e);
                [[unroll]] for (uint q = 0; q < QUERIES; q++) {
                    if (j >= from[q] && j < to[q]) {
                        float weight = numerators[q * CHUNK + j - from[q]];
                        low[q] = fma(vec4(weight), value.first, low[q]);
                        high[q] = fma(vec4(weight), value.second, high[q]);
                    }
                }
            }
            // The tokens of a tree: each query has its own path to them.
            if (p.isTree != 0) {
                [[unroll]] for (uint q = 0; q < QUERIES; q++) {
                    uint path = p.pathStarts.at[p.firstRow + places[q] / p.heads];
                    uint first = max(p.committed, from[q]);
                    for (uint j = first + (lane - first) % LANES; j < to[q]; j += LANES) {
                        uint slot = p.committed + p.paths.at[path + j - p.committed];
                        Eight value = loadCached(p.values, p.valueScales, (base + slot) * eights + e);
                        float weight = numerators[q * CHUNK + j - from[q]];
                        low[q] = fma(vec4(weight), value.first, low[q]);
                        high[q] = fma(vec4(weight), value.second, high[q]);
                    }
                }
            }
        }
        [[unroll]] for (uint q = 0; q < QUERIES; q++) {
            barrier();
            sums[lane][2 * gl_LocalInvocationID.x] = low[q];
            sums[lane][2 * gl_LocalInvocationID.x + 1] = high[q];
            barrier();
            // `column` is a group of four of the 32 columns. Pairs at distance 16, 8 and 4, then 2 and 1.
            uint column = local % (2 * EIGHTS), first = local / (2 * EIGHTS);
            if (first < 4) {
                precise vec4 a = (sums[first][column] + sums[first + 16][column])
                    + (sums[first + 8][column] + sums[first + 24][column]);
                precise vec4 b = (sums[first + 4][column] + sums[first + 20][column])
                    + (sums[first + 12][column] + sums[first + 28][column]);
                precise vec4 part = a + b;
                sums[first][column] = part;
            }
            barrier();
            if (first == 0 && firstQuery + q <= lastQuery && from[q] < to[q]) {
                precise vec4 total =
                    (sums[0][column] + sums[2][column]) + (sums[1][column] + sums[3][column]);
                uint d = 8 * EIGHTS * group + 4 * column;
                precise float sum = lanes[q * WIDTH];
                if (isWhole[q]) {
                    uint row = places[q] / p.heads, head = places[q] % p.heads;
                    if (p.hasSinks != 0) sum += exponential(p.sinks.at[head] - largest[q]);
                    precise float inverse = 1.0 / sum;
                    total *= inverse;
                    uint target = (p.firstRow + row) * p.outputStride + head * p.dimension;
                    for (uint i = 0; i < 4 && d + i < p.dimension; i++) p.outputs.at[target + d + i] = total[i];
                } else {
                    uint target = CHUNK_RESULT(places[q], chunk);
                    for (uint i = 0; i < 4 && d + i < p.dimension; i++) p.scores.at[target + d + i] = total[i];
                    if (d == 0) {
                        p.scores.at[target + p.dimension] = largest[q];
                        p.scores.at[target + p.dimension + 1] = sum;
                    }
                }
            }
        }
    }
}
