// y[c][r] = Σ_k w[r][k] · x[c][k] + bias[r] with quantised weights and inputs.
//
// 32 lanes share a row: lane l takes the groups l, l + 32, … in order, one fused multiply–add each after an exact integer sum.
// Then the lanes are added in pairs at distance 16, 8, 4, 2, 1. Tiles of rows and columns change no sum.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "memory.glsl"
#include "weights.glsl"
#include "lanes.glsl"
#include "dot.glsl"

layout(constant_id = 8) const uint ROWS = 1;
layout(constant_id = 9) const uint COLUMNS = 1;
// Whether every column has its own matrix, that of its expert in `experts`.
layout(constant_id = 10) const bool HAS_EXPERTS = false;
layout(constant_id = 11) const bool HAS_BIAS = false;
// Whether sum[c][r] += scale · y[c][r] follows.
layout(constant_id = 12) const bool ADDS = false;
// Whether rows of inputs and outputs are parts of longer lines, with paddings that are no multiple of their length.
layout(constant_id = 13) const bool HAS_LINES = false;

layout(push_constant, scalar) uniform Parameters {
    Words4 low;
    Words2 high;
    Bytes scales;
    Halves factors;
    Words4 inputs;
    Floats outputs;
    Floats bias;
    Integers experts;
    Floats sum;
    uint groups, rows, columns, outputStride;
    // `sharing` is the number of consecutive columns that share an input.
    uint sharing, sumStride;
    float scale;
    // With lines: the rows of an output line, and its length with its padding.
    uint outputsOfLine, outputLine;
} p;

shared float sums[SLICES * ROWS * COLUMNS * LANE_STRIDE];
#include "lane_sums.glsl"

void main() {
    uint lane = gl_LocalInvocationID.x % LANES, slice = gl_LocalInvocationID.x / LANES;
    uint tileRow = flatGroup() * SLICES * ROWS, firstColumn = gl_WorkGroupID.z * COLUMNS;
    if (tileRow >= p.rows) return;
    uint expert = HAS_EXPERTS ? uint(p.experts.at[firstColumn]) : 0;
    precise float partial[ROWS * COLUMNS];
    for (uint i = 0; i < ROWS * COLUMNS; i++) partial[i] = 0.0;
    for (uint g = lane; g < p.groups; g += LANES) {
        Group weights[ROWS];
        for (uint r = 0; r < ROWS; r++) {
            uint row = min(tileRow + slice * ROWS + r, p.rows - 1);
            weights[r] = loadGroup(p.low, p.high, p.scales, p.factors, (expert * p.rows + row) * p.groups + g);
        }
        for (uint c = 0; c < COLUMNS; c++) {
            uint column = min(firstColumn + c, p.columns - 1);
            uint place = 3 * (column / p.sharing * p.groups + g);
            uvec4 first = p.inputs.at[place], second = p.inputs.at[place + 1], about = p.inputs.at[place + 2];
            float scale = uintBitsToFloat(about.x), scaledSum = uintBitsToFloat(about.y);
            ivec2 inputSums = ivec2(int(about.z << 16) >> 16, int(about.z) >> 16);
            for (uint r = 0; r < ROWS; r++) {
                ivec2 total = OFFSET * inputSums;
                for (int i = 0; i < 4; i++) {
                    total.x += dot4(weights[r].values[i], int(first[i]));
                    total.y += dot4(weights[r].values[i + 4], int(second[i]));
                }
                int whole = IS_SUPER ? weights[r].scales.x * total.x + weights[r].scales.y * total.y
                                     : total.x + total.y;
                precise float sum = partial[r * COLUMNS + c];
                sum = fma(weights[r].factor * scale, float(whole), sum);
                if (HAS_MINIMUM && IS_SUPER) {
                    int below = weights[r].minima.x * inputSums.x + weights[r].minima.y * inputSums.y;
                    sum = fma(-(weights[r].minimum * scale), float(below), sum);
                } else if (HAS_MINIMUM) {
                    sum = fma(weights[r].minimum, scaledSum, sum);
                }
                partial[r * COLUMNS + c] = sum;
            }
        }
    }
    for (uint i = 0; i < ROWS * COLUMNS; i++)
        sums[(slice * ROWS * COLUMNS + i) * LANE_STRIDE + lane] = partial[i];
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < SLICES * ROWS * COLUMNS; i += gl_WorkGroupSize.x) {
        uint row = tileRow + i / COLUMNS, column = firstColumn + i % COLUMNS;
        if (row >= p.rows || column >= p.columns) continue;
        precise float y = sumOfLanes(i);
        if (HAS_BIAS) y += p.bias.at[expert * p.rows + row];
        uint start = HAS_LINES ? column / p.outputsOfLine * p.outputLine + column % p.outputsOfLine * p.outputStride
                               : column * p.outputStride;
        p.outputs.at[start + row] = y;
        if (ADDS) {
            uint place = column * p.sumStride + row;
            precise float sum = fma(p.scale, y, p.sum.at[place]);
            p.sum.at[place] = sum;
        }
    }
}
